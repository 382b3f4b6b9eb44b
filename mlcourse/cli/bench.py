"""`mlcourse bench`: every benchmark of the course."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

import typer

from mlcourse.cli.output import SEEDS, Json, Keep, Replaced, as_json_text, rows_file

if TYPE_CHECKING:
    from mlcourse.plots import Picture

bench_app = typer.Typer(help="The benchmarks; each prints its table and puts its rows into a file.",
                        no_args_is_help=True, rich_markup_mode="rich")


def _prepare() -> None:
    """Memory and threads as every command that computes has them."""
    from mlcourse.system.machine import keep_freed_memory, limit_threads

    keep_freed_memory()
    limit_threads()


def _measure(benchmark: ModuleType, rows: Iterator[dict], out: Path | None, keep: bool, as_json: bool,
             draw: Callable[[list[dict]], Picture] | None = None) -> None:
    """Print and save every row as soon as it is measured, so that an interrupt loses only the one in progress; then say
    what all rows in the file say together, and draw them, as a PNG of the same name beside it."""
    from mlcourse import rows as results
    from mlcourse.system.files import write_atomically

    name = benchmark.__name__.rpartition(".")[2]
    out, measured = rows_file(name, out, keep), []
    results.kept(out, f"mlcourse bench {name}", benchmark.KEY)
    say = (lambda text: None) if as_json else (lambda text: print(text, flush=True))
    for row in rows:
        results.save(out, [row], benchmark.KEY)
        measured.append(row)
        say(benchmark.line(row))
    if as_json:
        print(as_json_text(measured))
    say(f"rows in {out}")
    for text in benchmark.conclusions(results.read(out)) if hasattr(benchmark, "conclusions") else ():
        say(text)
    if draw:
        write_atomically(out.with_suffix(".png"), draw(results.read(out)).png)
        say(f"drawn in {out.with_suffix('.png')}")


@bench_app.command()
def sampler(out: Replaced = None, keep: Keep = False, as_json: Json = False) -> None:
    """Episodes per second: the course's sampler against torch's DataLoader over the same arrays.

    5-way 1-shot episodes with 15 queries of 28x28 pictures from 964 x 4 classes; the pictures are random.

    [bold]Examples[/bold]

      mlcourse bench sampler

      mlcourse bench sampler --out /tmp/sampler.json
    """
    _prepare()
    from mlcourse.bench import sampler as benchmark

    _measure(benchmark, benchmark.rows(), out, keep, as_json)


@bench_app.command()
def lessons(
    lesson: Annotated[list[str] | None, typer.Argument(metavar="[LESSON…]", help="All of them if left out.")] = None,
    out: Replaced = None, keep: Keep = False, as_json: Json = False,
) -> None:
    """What lessons cost: seconds, memory at the peak, bytes of the file.

    Each runs as mlcourse run does, in a kernel of its own; nothing is written into it.

    [bold]Examples[/bold]

      mlcourse bench lessons

      mlcourse bench lessons 03
    """
    _prepare()
    from mlcourse.bench import lessons as benchmark

    _measure(benchmark, benchmark.rows(lesson or []), out, keep, as_json)


@bench_app.command()
def widgets(
    name: Annotated[list[str] | None, typer.Argument(metavar="[NAME…]", help="All of them if left out.")] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Leave key to pixel out.")] = False,
    out: Replaced = None, keep: Keep = False, as_json: Json = False,
) -> None:
    """How long widgets take from a changed control to the new picture, in the kernel and in a browser.

    Every control visits up to 15 values. Key to pixel is the median over arrow keys pressed on sliders in JupyterLab,
    until the browser has decoded the new picture; it needs Chromium and playwright.

    [bold]Examples[/bold]

      mlcourse bench widgets

      mlcourse bench widgets OuterLoopPlayer --no-browser
    """
    _prepare()
    from mlcourse.bench import widgets as benchmark

    _measure(benchmark, benchmark.rows(name or [], in_browser=not no_browser), out, keep, as_json)


@bench_app.command()
def peers(
    workload: Annotated[list[str] | None, typer.Argument(metavar="[WORKLOAD…]", help="All if left out.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="How often the sides take turns.")] = 7,
    out: Replaced = None, keep: Keep = False, as_json: Json = False,
) -> None:
    """One meta-step: ours against a loop over tasks, higher, TorchOpt and JAX, with equal gradients.

    Needs the extra "peers": pip install -e '.\\[peers]'.

    [bold]Examples[/bold]

      mlcourse bench peers

      mlcourse bench peers "Conv4-64, 16 tasks 5-shot"
    """
    _prepare()
    from mlcourse.bench import peers as benchmark

    _measure(benchmark, benchmark.rows(workload or list(benchmark.LOADS), rounds), out, keep, as_json)


@bench_app.command()
def growth(
    axis: Annotated[list[str] | None, typer.Option(help="Repeat it for several; all four if left out.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="How often the points of an axis take turns.")] = 7,
    out: Replaced = None, keep: Keep = False, as_json: Json = False,
) -> None:
    """Time and memory of one MAML meta-step against tasks, inner steps, ways and width, with a picture.

    Conv4 with strides, 1-shot with 5 queries of each class; what does not vary stays at 8 tasks, 1 inner step, 5-way
    and 64 filters. The axes are tasks, steps (also in first order), ways and width.

    [bold]Examples[/bold]

      mlcourse bench growth

      mlcourse bench growth --axis steps
    """
    _prepare()
    from mlcourse.bench import growth as benchmark
    from mlcourse.bench.pictures import growth as draw

    _measure(benchmark, benchmark.rows(axis or list(benchmark.AXES), rounds), out, keep, as_json, draw)


@bench_app.command()
def omniglot(
    minutes: Annotated[float, typer.Option(min=0.01, help="Minutes of training, evaluation not counted.")] = 5.0,
    method: Annotated[list[str] | None, typer.Option(help="Repeat it for several; all of them if left out.")] = None,
    seed: Annotated[list[int] | None, typer.Option(**SEEDS, help="Repeat it for several.  [default: 0, 1, 2]")] = None,
    out: Replaced = None, keep: Keep = False, as_json: Json = False,
) -> None:
    """Accuracy against training time on Omniglot's held-out alphabets, 5-way 1-shot.

    Each method and seed trains for the same minutes; on the way and at the end 1,000 fixed episodes are judged. Ctrl-C
    keeps the rows that are there; the picture is drawn after the last one.

    [bold]Examples[/bold]

      mlcourse bench omniglot --minutes 5

      mlcourse bench omniglot --minutes 10 --method maml --seed 0
    """
    _prepare()
    from mlcourse.bench import omniglot as benchmark
    from mlcourse.bench.pictures import accuracy_against_time

    _measure(benchmark, benchmark.rows(method or list(benchmark.NAMES), minutes, seed or [0, 1, 2]), out, keep, as_json,
             accuracy_against_time)
