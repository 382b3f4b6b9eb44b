"""`mlcourse study`: every study of the course."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from mlcourse.cli.daml import daml_command
from mlcourse.cli.output import Keep, Out, rows_file
from mlcourse.cli.records import FromRecords
from mlcourse.cli.transfer import transfer_command

Five = Annotated[list[int] | None, typer.Option("--seed", min=0, help=r"Repeat it for several.  \[default: 0 to 4]")]
Choose = Annotated[bool, typer.Option("--choose", help="Measure all settings on validation data first.")]

study_app = typer.Typer(help="The studies: methods side by side on the same data, over seeds, with intervals.",
                        no_args_is_help=True, rich_markup_mode="rich")


def _open(name: str, out: Path | None, keep: bool, key: tuple[str, ...]) -> tuple[Path, set[tuple]]:
    """A study's file and the keys of the rows in it, after a look that it can be read."""
    from mlcourse import rows as results
    from mlcourse.system.machine import keep_freed_memory, limit_threads

    file = rows_file(name, out, keep)
    keep_freed_memory()
    limit_threads()
    return file, {tuple(row[field] for field in key) for row in results.read(file)} if file.exists() else set()


def _keep(rows, key: tuple[str, ...], line: Callable[[dict], str], out: Path) -> None:
    """Print and save every row as soon as it is measured: the same command goes on after an interrupt."""
    from mlcourse import rows as results

    for row in rows:
        results.save(out, [row], key)
        print(line(row), flush=True)


study_app.command("transfer", cls=FromRecords)(transfer_command)
study_app.command("daml")(daml_command)


@study_app.command("meta-transfer")
def meta_transfer(seed: Five = None, choose: Choose = False, out: Out = None, keep: Keep = False) -> None:
    """Lesson 05: pretrain, Meta-SGD, adapt, from glyphs to digits and Omniglot, against each part left out.

    Every arm has the same training scripts and the same number of outer steps; 400 fixed test episodes of each domain,
    5-way 1-shot. Four to five minutes for each seed on two cores; --choose takes longer.

    [bold]Examples[/bold]

      mlcourse study meta-transfer --choose

      mlcourse study meta-transfer --seed 0
    """
    from mlcourse.lessons.l05_meta_sgd import study_meta_transfer as study

    out, done = _open("meta_transfer", out, keep, study.KEY)
    _keep(study.rows(seed or list(range(5)), choose, done), study.KEY, study.line, out)
    from mlcourse.lessons.l05_meta_sgd.figures import pipeline

    _draw(pipeline, out)


@study_app.command("rates")
def rates(seed: Five = None, choose: Choose = False, out: Out = None, keep: Keep = False) -> None:
    """Lesson 05: one fixed rate, one learned, one for each tensor, one for each weight, on sinusoids.

    3,000 outer steps and 600 test tasks each; about a minute for each seed on two cores, and two for --choose.

    [bold]Examples[/bold]

      mlcourse study rates --choose

      mlcourse study rates --seed 0
    """
    from mlcourse.lessons.l05_meta_sgd import study_rates as study

    out, done = _open("rates", out, keep, study.KEY)
    _keep(study.rows(seed or list(range(5)), choose, done), study.KEY, study.line, out)
    from mlcourse.lessons.l05_meta_sgd.figures import granularity

    _draw(granularity, out)


@study_app.command("shift")
def shift(seed: Five = None, out: Out = None, keep: Keep = False) -> None:
    """Lesson 01: accuracy of a fixed classifier, PAD and MMD against the severity of every shift, with their floors.

    Typeset digits under eight kinds of shift, UCI digits, MNIST where it is at hand, and two-dimensional worlds that
    differ in one factor of P(x, y). A minute for each seed on two cores.

    [bold]Examples[/bold]

      mlcourse study shift

      mlcourse study shift --seed 0
    """
    from mlcourse.lessons.l01_domains import study_shift as study
    from mlcourse.lessons.l01_domains.figures import dial_curves

    out, done = _open("shift", out, keep, study.KEY)
    _keep(study.rows(seed or list(range(study.SEEDS)), done), study.KEY, study.line, out)
    _draw(dial_curves, out)


@study_app.command("crossing")
def crossing(seed: Five = None, out: Out = None, keep: Keep = False) -> None:
    """Lesson 01: what crosses from a digit classifier to another task, another domain and another modality.

    [bold]Examples[/bold]

      mlcourse study crossing

      mlcourse study crossing --seed 0
    """
    from mlcourse.lessons.l01_domains import study_crossing as study
    from mlcourse.lessons.l01_domains.figures import crossings

    out, done = _open("crossing", out, keep, study.KEY)
    _keep(study.rows(seed or list(range(study.SEEDS)), done), study.KEY, study.line, out)
    _draw(crossings, out)


@study_app.command("contrast")
def contrast(
    part: Annotated[list[str] | None, typer.Option(help="features, temperature, negatives or strokes.  "
                                                        r"\[default: all]")] = None,
    seed: Annotated[list[int] | None, typer.Option(min=0, help="Repeat it for several.  "
                                                   r"\[default: 0 to 4, 0 to 2 of the sweeps]")] = None,
    out: Out = None, keep: Keep = False,
) -> None:
    """Lesson 16: contrastive features against random and supervised ones, in and out of domain, each on the same budget;
    SimCLR over temperatures and numbers of negatives; retrieval between pictures and pen strokes.

    About 12 minutes on two cores in all, 15 seconds for each trained network.

    [bold]Examples[/bold]

      mlcourse study contrast

      mlcourse study contrast --part strokes --seed 0
    """
    from mlcourse.lessons.l16_contrast import study_contrast as study
    from mlcourse.lessons.l16_contrast.figures import study_picture

    out, done = _open("contrast", out, keep, study.KEY)
    _keep(study.rows(part or [], seed, done), study.KEY, study.line, out)
    if not part or "features" in part:
        _draw(study_picture, out)


@study_app.command("distillation")
def distillation(
    part: Annotated[list[str] | None, typer.Option(help=r'domains, "left out" or cost.  \[default: all]')] = None,
    seed: Annotated[list[int] | None, typer.Option(min=0, help=r"Repeat it for several.  \[default: all]")] = None,
    out: Out = None, keep: Keep = False,
) -> None:
    """Lesson 15: from a big teacher of typeset digits to a small student of handwritten ones, without labels there,
    against the same student on the source's labels; its size and its temperature; a student that never saw a 3.

    16×16 pictures; MNIST, with three seeds, is passed over where it is not at hand. About 15 minutes on two cores in all.

    [bold]Examples[/bold]

      mlcourse study distillation

      mlcourse study distillation --part domains --seed 0
    """
    from mlcourse.lessons.l15_distillation import study_distillation as study
    from mlcourse.lessons.l15_distillation.figures import study_picture

    out, done = _open("distillation", out, keep, study.KEY)
    _keep(study.rows(part or [], seed, done), study.KEY, study.line, out)
    if not part:
        _draw(study_picture, out)


@study_app.command("daml-failures")
def daml_failures(seed: Annotated[list[int] | None, typer.Option(min=0, help="Repeat it for several.  "
                                                                 r"\[default: 0 to 2]")] = None,
                  out: Out = None, keep: Keep = False) -> None:
    """Lesson 14: ways in which a generator fails, each provoked: no feature matching, no label term, a frozen
    classifier, no mode seeking, 40 target pictures, a target in which three classes prevail, every picture augmented.

    Typeset to handwritten digits at 16×16; about ten minutes for each seed on one core.

    [bold]Examples[/bold]

      mlcourse study daml-failures

      mlcourse study daml-failures --seed 0
    """
    from mlcourse.lessons.l14_daml import study_daml_failures as study
    from mlcourse.system.machine import one_core

    out, done = _open("daml_failures", out, keep, study.KEY)
    with one_core():
        _keep(study.rows(seed or list(range(study.SEEDS)), done), study.KEY, study.line, out)


@study_app.command("label-shift")
def label_shift(seed: Five = None, out: Out = None, keep: Keep = False) -> None:
    """Lesson 13: where alignment hurts. Typeset to handwritten digits, the target's class proportions further and
    further from the source's: no adaptation, AdaBN, CORAL and DANN at three weights, MLDG and the adapter.

    16×16 pictures and a narrow network; about a minute for each seed on two cores.

    [bold]Examples[/bold]

      mlcourse study label-shift

      mlcourse study label-shift --seed 0
    """
    from mlcourse.lessons.l13_adaptation import study_label_shift as study
    from mlcourse.lessons.l13_adaptation.figures import label_shift as draw

    out, done = _open("label_shift", out, keep, study.KEY)
    _keep(study.rows(seed or list(range(study.SEEDS)), done), study.KEY, study.line, out)
    _draw(draw, out)


def _draw(draw: Callable, out: Path) -> None:
    """Draw all rows in the file, as a PNG of the same name beside it."""
    from mlcourse import rows as results
    from mlcourse.system.files import write_atomically

    drawn, path = draw(results.read(out)), out.with_suffix(".png")
    write_atomically(path, drawn.png)
    print(f"drawn in {path}")
