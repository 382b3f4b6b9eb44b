"""`mlcourse study transfer`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from mlcourse.cli.output import Keep, Out
from mlcourse.cli.pairs import DataDir, command_line, output_files, save_as_measured


def transfer_command(
    source: Annotated[list[str], typer.Option(help="A labelled domain, such as glyphs-digits, mnist, folder:PATH or "
                                                   "array:FILE.npz; repeat it for several.")],
    target: Annotated[str, typer.Option(help="The domain to get to, named in the same way.")],
    out: Out = None,
    keep: Keep = False,
    plot: Annotated[Path | None, typer.Option(help=r"The picture to write, a PNG.  \[default: beside the rows]")] = None,
    arm: Annotated[list[str] | None, typer.Option(help=r"Repeat it for several.  \[default: all]")] = None,
    k: Annotated[list[int] | None, typer.Option(min=0, help="Labels per class; repeat it for several.  "
                                                r"\[default: 0, 1, 5, 10]")] = None,
    seed: Annotated[list[int] | None, typer.Option(min=0, help=r"Repeat it for several.  \[default: 0 to 4]")] = None,
    data_dir: DataDir = None,
) -> None:
    """From a labelled source to a target: what to carry over and what to adapt, measured.

    The arms: {ARMS}. Each with 0, 1, 5 and 10 labels per class of the target, over five seeds, with 95 % intervals, the
    proxy A-distance of the domains, a picture, and advice computed from the numbers. Classes match by name. Ctrl-C keeps what is measured; the same command goes on from there.

    [bold]Examples[/bold]

      mlcourse study transfer --source glyphs-digits --target digits

      mlcourse study transfer --source mnist --target digits --out mine.json --plot mine.png

      mlcourse study transfer --source folder:site_a --source folder:site_b --target folder:site_c
    """
    from tqdm import tqdm

    from mlcourse import datasets, rows as results
    from mlcourse.datasets.notes import say
    from mlcourse.studies.transfer import arms as every, setting as settings, transfer as study
    from mlcourse.system.machine import keep_freed_memory, limit_threads

    keep_freed_memory()
    limit_threads()
    rows_file, picture = output_files("transfer", source, target, out, keep, plot)
    seeds, ks = list(dict.fromkeys(seed or range(5))), sorted(set(k or (0, 1, 5, 10)))
    chosen = every.named(dict.fromkeys(arm or [a.name for a in every.ARMS]))
    *sources, goal = domains = [datasets.load(spec, data_dir) for spec in (*source, target)]
    setting = settings.setting(sources, goal, ks)
    study.check(setting, chosen, asked=arm is not None)
    say((*source, target), domains)
    kept = results.read(rows_file) if rows_file.exists() else []
    print(study.protocol(setting, chosen), flush=True)
    with tqdm(total=study.steps(setting, chosen, seeds, kept), unit="step") as bar:
        save_as_measured(study.rows(setting, chosen, seeds, kept, command_line("transfer", source, target), bar.update),
                         study.KEY, rows_file, bar)
    _report(setting, chosen, seeds, ks, rows_file, picture)


def _report(setting, chosen: Sequence, seeds: Sequence[int], ks: Sequence[int], rows_file: Path, picture: Path) -> None:
    """The table, the picture and the advice."""
    from rich.console import Console
    from rich.table import Table

    from mlcourse import rows as results
    from mlcourse.studies.transfer import advice, transfer as study
    from mlcourse.studies.transfer.picture import transfer as draw
    from mlcourse.system.files import write_atomically

    names = [arm.name for arm in chosen]
    rows = study.of(setting, results.read(rows_file), names, seeds, ks)
    cells = advice.table(rows)
    table = Table(box=None, pad_edge=False)
    for column in ("accuracy, %", *(f"k = {k}" for k in ks), "PAD"):
        table.add_column(column, justify="left" if column.startswith("acc") else "right")
    pads = {name: sum(values.values()) / len(values) for name in names
            if (values := results.by_seed(rows, name, 0, "pad"))}
    for name in names:
        by_k = cells.get(name, {})
        shown = [by_k[k].text() if k in by_k else "needs labels" if k == 0 and setting.shared else "not defined" for k in ks]
        table.add_row(name, *shown, f"{pads[name]:.2f}" if name in pads else "")
    Console(width=max(100, 16 * (len(ks) + 2))).print(table)
    floors = [row["floor"] for row in rows if "floor" in row]
    drawn = draw(rows[0]["source"], rows[0]["target"], cells, pads, sum(floors) / len(floors) if floors else 0.0,
                 100 / len(setting.train.classes))
    write_atomically(picture, drawn.png)
    print(f"PAD of pixels {study.pixel_distance(setting)}")
    print(advice.advice(rows))
    print(f"rows in {rows_file}, drawn in {picture}")
