"""`mlcourse study`: a command for every study, made from its record."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

from mlcourse.cli.output import SEEDS, Json, Keep, Out, as_json_text, rows_file
from mlcourse.lesson import lessons
from mlcourse.studies import STUDIES

if TYPE_CHECKING:
    from mlcourse.studies.study import Option, Study


def names() -> list[str]:
    """The studies, those of the lessons in their order first."""
    return [*(name for lesson in lessons() for name in lesson.studies), *STUDIES]


def study(name: str) -> Study | None:
    """The record of a study, imported now; None for an unknown name."""
    for lesson in lessons():
        if name in lesson.studies:
            return lesson.load(lesson.studies[name])
    if name not in STUDIES:
        return None
    module, _, record = STUDIES[name].partition(":")
    return getattr(importlib.import_module(module), record)


class Studies(TyperGroup):
    """The group whose commands are the studies; a study's module is imported when its command is asked for."""

    def list_commands(self, ctx) -> list[str]:
        """The names of the studies."""
        return names()

    def get_command(self, ctx, cmd_name: str):
        """The command of a study; None for an unknown name."""
        found = study(cmd_name)
        return found and command(found)


study_app = typer.Typer(help="The studies: methods side by side on the same data, over seeds, with intervals.",
                        cls=Studies, no_args_is_help=True, rich_markup_mode="rich")
Plot = Annotated[Path | None, typer.Option("--plot", help=r"The picture, a PNG.  \[default: beside the rows]")]


def command(study: Study):
    """The command of a study."""

    def run(**asked) -> None:
        conduct(study, **asked)

    usual = f"{study.first} to {study.first + study.seeds - 1}" if study.seeds else "each part's own"
    seeds = typer.Option(**SEEDS, help=rf"Repeat it for several.  \[default: {usual}]")
    parameters = [parameter(option) for option in study.options]
    parameters += [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
                   for name, default, annotation in (
                       ("seed", None, Annotated[list[int] | None, seeds]), ("out", None, Out), ("plot", None, Plot),
                       ("keep", False, Keep), ("as_json", False, Json))]
    run.__signature__ = inspect.Signature(parameters)
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    title = "Example" + "s" * (len(study.examples) > 1)
    examples = "\n\n".join(f"  mlcourse study {study.name} {words}".rstrip() for words in study.examples)
    run.__doc__ = f"{inspect.cleandoc(study.about)}\n\n[bold]{title}[/bold]\n\n{examples}"
    one = typer.Typer(rich_markup_mode="rich", add_completion=False)
    one.command(study.name)(run)
    return typer.main.get_command(one)


def parameter(option: Option) -> inspect.Parameter:
    """The parameter of a command that an option becomes."""
    kind = list[option.kind] if option.several else option.kind
    if option.kind is bool:
        default, kind, made = False, bool, typer.Option(f"--{option.name.replace('_', '-')}", help=option.help)
    else:
        default, made = None, typer.Option(min=option.least, help=option.help)
    default = inspect.Parameter.empty if option.required else default
    annotation = Annotated[kind if option.required or option.kind is bool else kind | None, made]
    return inspect.Parameter(option.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def conduct(study: Study, *, seed: Sequence[int] | None, out: Path | None, plot: Path | None, keep: bool,
            as_json: bool, **options) -> None:
    """Measure what the file does not hold yet, saving every row; then say and draw what the rows say.

    Ctrl-C keeps what is measured. Raises ValueError for what does not fit, before anything is measured.
    """
    from tqdm import tqdm

    from mlcourse import rows as results
    from mlcourse.system.files import write_atomically
    from mlcourse.system.machine import keep_freed_memory, limit_threads

    if plot and plot.suffix != ".png":
        raise ValueError(f"the picture is a PNG, got {plot}; give it a name that ends in .png")
    keep_freed_memory()
    limit_threads()
    kept_name = study.name.replace("-", "_")
    rows_file(kept_name, out, keep)
    work = study.work(seed or (), **options)
    file = rows_file(study.file(work) if study.file else kept_name, out, keep, kept_name)
    kept = study.kept(file)
    say = (lambda text: None) if as_json else (lambda text: tqdm.write(text, file=sys.stdout))
    if study.begin:
        say(study.begin(work))
    try:
        with tqdm(total=len(study.missing(work, kept)), unit="row") as bar:
            for row in study.measure_side_by_side(work, kept):
                results.save(file, [row], study.key)
                bar.update()
                say(study.line(row))
    except KeyboardInterrupt:
        print(f"mlcourse: interrupted; what was measured is in {file}, and the same command goes on from there",
              file=sys.stderr)
        raise typer.Exit(130) from None
    rows = study.kept(file)
    if as_json:
        print(as_json_text(study.asked(work, rows)))
    if study.report:
        say(study.report(work, rows))
    try:
        drawn = study.pictures(work, rows) if study.pictures else {}
    except ValueError as error:     # too few rows for a picture: the rows are kept all the same
        drawn = {}
        say(f"not drawn: {error}")
    picture = plot or file.with_suffix(".png")
    for suffix, each in drawn.items():
        write_atomically(picture.with_stem(picture.stem + suffix), each.png)
    say(f"rows in {file}" + (f", drawn in {picture}" if drawn else ""))
