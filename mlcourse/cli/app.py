"""The `mlcourse` command. Everything heavy is imported inside the command that needs it."""

from __future__ import annotations

import dataclasses
import sys
import warnings
from pathlib import Path
from typing import Annotated

import typer

from mlcourse.cli.bench import bench_app
from mlcourse.cli.output import Json, as_json_text, check_output, degrade_output, told
from mlcourse.cli.records import FromRecords
from mlcourse.cli.study import study_app
from mlcourse.cli.train import evaluate_command, train_command
from mlcourse.course import notebooks
from mlcourse.system import machine, paths

app = typer.Typer(
    name="mlcourse",
    help="A course on meta-learning and cross-domain transfer that you run.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
data_app = typer.Typer(help="The data sets: which are here, fetch one, verify one, build the shipped one.",
                       no_args_is_help=True, rich_markup_mode="rich")
app.add_typer(data_app, name="data")
app.add_typer(bench_app, name="bench")
app.add_typer(study_app, name="study")

SIZES = {"words": "words", "lines": "lines", "longest_cell": "cell", "longest_line": "line", "pictures": "pictures",
         "widgets": "widgets", "exercise_minutes": "exercises", "minutes": "minutes", "further_words": "further"}
DataDir = Annotated[Path | None, typer.Option("--data-dir", help=r"Look here first.  \[default: MLCOURSE_DATA]")]


def _print_json(value) -> None:
    print(as_json_text(value))


def _table(*columns: str):
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _print_table(table) -> None:
    from rich.console import Console

    Console().print(table)


# ---------------------------------------------------------------- lessons


@app.command()
def lab(
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the address instead of opening it.")] = False,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Start looking for a free port here.")] = None,
    restore: Annotated[str | None, typer.Option(metavar="LESSON", help="Only put one lesson's original back.")] = None,
    work: Annotated[Path | None, typer.Option(metavar="DIR", help=r"Your copy of the lessons.  \[default: work/ in a "
                                              "clone of the repository, else mlcourse-work/ here]")] = None,
) -> None:
    """Open the course in JupyterLab, on your own copy of the lessons in work/, where you left it.

    Lessons that are not there yet are copied; what is there is yours and stays as it is. The lesson that opens is the
    first with an exercise that you have not passed.

    [bold]Examples[/bold]

      mlcourse lab

      mlcourse lab --no-browser --port 9000

      mlcourse lab --work ~/meta-learning

      mlcourse lab --restore 03     (your version is kept as a backup copy)
    """
    from mlcourse.course import lab as working_copy

    work = (work or paths.WORK).expanduser()
    if restore is not None:
        backup = working_copy.restore(restore, work)
        print(f"restored {work / notebooks.find(restore).name}"
              + (f"; your version is {backup.name}" if backup else ""))
        return
    print("\n".join(working_copy.welcome(work, working_copy.fill(work))))
    for name in working_copy.older(work):
        print(f"{name} in {work} is a copy of an earlier version; mlcourse lab --restore {name[:2]} fetches the new "
              "one and keeps yours")
    raise typer.Exit(working_copy.launch(browser=not no_browser, port=port, work=work))


@app.command("list")
def list_lessons(as_json: Json = False) -> None:
    """List the lessons: title, methods, minutes, exercises.

    [bold]Examples[/bold]

      mlcourse list

      mlcourse list --json
    """
    found = notebooks.lessons()
    if as_json:
        _print_json([dataclasses.asdict(lesson) | {"path": str(lesson.path)} for lesson in found])
        return
    table = _table("lesson", "title", "methods", "minutes", "exercises")
    for lesson in found:
        table.add_row(lesson.lesson, lesson.title, ", ".join(lesson.methods), str(lesson.minutes),
                      ", ".join(lesson.exercises))
    _print_table(table)


def _show_cell(lesson: str):
    def show(cell: notebooks.CellRun) -> None:
        if cell.seconds is None:
            label = cell.label if len(cell.label) <= 60 else cell.label[:59] + "…"
            print(f"{lesson}  cell {cell.number:2d}/{cell.total}  {label:60s}", end="", flush=True)
        else:
            print(f" {cell.seconds:6.1f} s", flush=True)

    return show


@app.command()
def run(
    lesson: Annotated[list[str], typer.Argument(metavar="LESSON…", help="Numbers (03), names or paths.")],
    refresh: Annotated[bool, typer.Option("--refresh", help="Store the outputs in the notebook, normalised.")] = False,
) -> None:
    """Execute lessons without a browser, a line of progress per cell.

    Without --refresh nothing is written. The exit status is 1 if a cell fails.

    [bold]Examples[/bold]

      mlcourse run 03

      mlcourse run 00 03 --refresh
    """
    failed = False
    for path in [notebooks.find(name) for name in lesson]:
        number = notebooks.read_lesson(path).lesson
        try:
            if refresh:
                changed = notebooks.refresh(path, _show_cell(number))
                print(f"{number}  {'stored new outputs' if changed else 'unchanged'}: {path}")
                failed |= _report_problems(path)
            else:
                notebooks.execute(notebooks.read(path), path.resolve().parent, _show_cell(number))
                print(f"{number}  ran to the end: {path}")
        except RuntimeError as error:
            failed = True
            print("  failed")
            print(f"mlcourse: {path.name}, {error}", file=sys.stderr)
    raise typer.Exit(1 if failed else 0)


def _report_problems(path: Path) -> bool:
    problems = notebooks.validate(path)
    for problem in problems:
        print(f"{path.name}: {problem}")
    return bool(problems)


@app.command()
def validate(
    lesson: Annotated[list[str] | None, typer.Argument(metavar="[LESSON…]", help="All of them if left out.")] = None,
) -> None:
    """Check the properties of the stored notebooks; the exit status is 1 if one does not hold.

    For all lessons it prints their sizes too; a star marks what misses the course's standard.

    [bold]Examples[/bold]

      mlcourse validate

      mlcourse validate 03
    """
    chosen = [notebooks.find(name) for name in lesson] if lesson else [lesson.path for lesson in notebooks.lessons()]
    bad = [path for path in chosen if _report_problems(path)]
    if not lesson:
        _print_sizes([path for path in chosen if path not in bad])
    if bad:
        raise typer.Exit(1)
    print(f"{len(chosen)} notebook{'' if len(chosen) == 1 else 's'}: every property holds")


def _print_sizes(chosen: list[Path]) -> None:
    from mlcourse.course import standard

    table = _table("lesson", *SIZES.values())
    for path in chosen:
        size, excess = dataclasses.asdict(standard.measure(path)), standard.excess(path)
        table.add_row(path.name[:2], *(f"{size[name]}{'*' * (name in excess)}" for name in SIZES))
    _print_table(table)


@app.command()
def progress(
    as_json: Json = False,
    reset: Annotated[bool, typer.Option("--reset", help="Start afresh; the old file is kept beside it.")] = False,
) -> None:
    """Show which exercises you have passed; the record is a file on this computer and nowhere else.

    [bold]Examples[/bold]

      mlcourse progress

      mlcourse progress --reset
    """
    from mlcourse import exercises
    from mlcourse.exercises.progress import path

    if reset:
        exercises.reset()
    rows = exercises.status()
    if as_json:
        _print_json(rows)
        return
    table = _table("exercise", "title", "state", "attempts", "hints")
    for row in rows:
        state = f"passed {row['first_passed']}" if row["passed"] else "open"
        table.add_row(row["id"], row["title"], state, str(row["attempts"]), str(row["hints"]))
    _print_table(table)
    print(f"{sum(row['passed'] for row in rows)} of {len(rows)} passed; the record is {path()}")


app.command("train", cls=FromRecords)(train_command)
app.command("evaluate", cls=FromRecords)(evaluate_command)


# ------------------------------------------------------------------- data


@data_app.command("list")
def data_list(data_dir: DataDir = None, as_json: Json = False) -> None:
    """List the data sets and whether they are on this machine.

    [bold]Example[/bold]

      mlcourse data list --data-dir ~/datasets
    """
    from mlcourse import datasets

    rows = datasets.available(data_dir)
    if as_json:
        _print_json(rows)
        return
    table = _table("name", "classes", "samples", "here", "about")
    for row in rows:
        here = "yes" if row["present"] else row["where"]
        table.add_row(row["name"], str(row["classes"]), str(row["images"]), here, row["about"])
    _print_table(table)


@data_app.command("get", cls=FromRecords)
def data_get(
    name: Annotated[str, typer.Argument(help="{DOWNLOADS}")],
    data_dir: DataDir = None,
) -> None:
    """Download a data set, verified against its digest, whole or not at all.

    [bold]Example[/bold]

      mlcourse data get omniglot
    """
    from mlcourse import datasets

    for path in datasets.get(name, data_dir):
        print(path)


@data_app.command("verify")
def data_verify(name: str, data_dir: DataDir = None) -> None:
    """Read a data set and check its content: counts, names, shapes.

    [bold]Example[/bold]

      mlcourse data verify omniglot
    """
    from mlcourse import datasets

    print(datasets.verify(name, data_dir))


@data_app.command("build")
def data_build(
    name: Annotated[str, typer.Argument(help="glyphs or strokes, the data sets that the course makes itself.")],
    folder: Annotated[Path | None, typer.Option(help=r"Where to write to.  \[default: runs/ and the name]")] = None,
) -> None:
    """Render the glyphs from the fonts that matplotlib carries, or trace the pen strokes of the glyphs.

    The course's own stand in data/ of a clone of the repository; there, --folder data makes them anew.

    [bold]Examples[/bold]

      mlcourse data build glyphs

      mlcourse data build strokes --folder data     (the course's own)
    """
    if name not in ("glyphs", "strokes"):
        raise ValueError(f"only glyphs and strokes can be built, not {name!r}; mlcourse data list shows the data sets")
    if name == "glyphs":
        from mlcourse.datasets.glyphs.build import build
    else:
        from mlcourse.datasets.strokes import build
    print(build(folder or Path("runs") / name))


# ------------------------------------------------------------------- main


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror}"
    return " ".join(str(error).split())


def main() -> None:
    """Run the command line: an error of the course becomes one sentence on stderr and exit status 2."""
    machine.prepare()
    degrade_output()
    with warnings.catch_warnings():
        warnings.showwarning = _warn
        try:
            check_output()
            with told():
                app()
        except (ValueError, RuntimeError, OSError) as error:
            print(f"mlcourse: {_sentence(error)}", file=sys.stderr)
            sys.exit(2)


def _warn(message, category, filename, lineno, file=None, line=None) -> None:
    """A warning of the course is one sentence, like an error; others are shown as Python shows them."""
    if Path(filename).is_relative_to(paths.PACKAGE):
        print(f"mlcourse: {message}", file=sys.stderr)
    else:
        print(warnings.formatwarning(message, category, filename, lineno, line), end="", file=file or sys.stderr)
