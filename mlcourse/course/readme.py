"""What is made from records: the tables of README.md and its list of arms, the tables of docs/your_own_network.md and
of benchmarks/README.md, the glossary, the symbols on the notation page, and the links at both ends of every lesson; and
from stored rows: what lessons and explorers cost.

    python -m mlcourse.course.readme        # writes them anew
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path

from mlcourse import datasets
from mlcourse.course import frame, glossary, notebooks
from mlcourse.job import RUNS, SINUSOIDS
from mlcourse.learners import RECORDS
from mlcourse.learner import NetLearner
from mlcourse.lesson import lessons
from mlcourse.nets.chosen import SEQUENCES
from mlcourse.rows import read
from mlcourse.studies.transfer.arms import ARMS, USUAL
from mlcourse.system import paths
from mlcourse.system.files import write_atomically


def lesson_table() -> str:
    """A row for every lesson that has a folder. Raises FileNotFoundError for one without a notebook."""
    rows = []
    for record in lessons():
        about = notebooks.read_lesson(notebooks.find(record.number))
        rows.append(f"| [{record.number} {about.title}](notebooks/{about.path.name}) | {record.does} "
                    f"| {', '.join(about.methods)} |")
    return "\n".join(["| lesson | you do | methods |", "|---|---|---|", *rows])


def method_table() -> str:
    """A row for every method: its name on the command line, its class and file, what it does."""
    rows = []
    for entry in RECORDS:
        file = Path(inspect.getfile(entry.kind)).relative_to(paths.ROOT).as_posix()
        where = "between two domains" if entry.across else "baseline" if entry.baseline else ""
        rows.append(f"| {entry.name} | [{entry.kind.__name__}]({file}) | {entry.about} | {where} |")
    return "\n".join(["| name | class | what it does | |", "|---|---|---|---|", *rows])


NO_SOURCE = {RUNS: "Omniglot's one-shot runs, 20-way within one alphabet", SINUSOIDS: "sinusoids, to be fitted"}


def domain_table() -> str:
    """A row for every domain that `mlcourse train` takes: what it holds, and what fetches it where it is not shipped,
    or computed."""
    rows = []
    for source in datasets.SOURCES:
        holds = source.about + f"; read by `--net {'` or `'.join(SEQUENCES)}`" * bool(source.sequence)
        rows.append((", ".join(f"`{spec}`" for spec in source.specs), source.name, holds))
    rows += [(f"`{name}`", name, about) for name, about in NO_SOURCE.items()]
    get = lambda name: f"`mlcourse data get {name}`" if name in datasets.downloads() else ""
    return "\n".join(["| domain | what it holds | fetched by |", "|---|---|---|",
                      *(f"| {specs} | {holds} | {get(name)} |" for specs, name, holds in rows)])


def arm_list() -> str:
    """The arms of the transfer study, in words."""
    more = [arm.name for arm in ARMS if not arm.usual]
    return textwrap.fill(f"The arms: {', '.join(USUAL)}; with `--arm all` also {', '.join(more)}.", 120,
                         break_on_hyphens=False)


RETURNS = {"headed": "one output for each class of an episode", "headless": "features (M, d)",
           "maps": "features (M, d), flattened maps where `maps` says (C, h, w)"}
HAS = {"features": "`features`, a method that makes (M, d)", "size": "`size`, which is d",
       "head": "`head`, a linear layer that makes the outputs",
       "layers": "`layers`, how the parameters' names begin in each layer"}


def network_table() -> str:
    """A row for every kind of network that methods take: those methods, what it returns, and what it has besides."""
    kinds: dict[tuple[str, ...], list[str]] = {}
    for entry in RECORDS:
        if issubclass(entry.kind, NetLearner):
            kinds.setdefault((RETURNS[entry.net], *map(HAS.get, entry.kind.needs)), []).append(entry.kind.__name__)
    rows = [f"| {', '.join(names)} | {returns} | {'; '.join(has)} |"
            for (returns, *has), names in sorted(kinds.items())]
    return "\n".join(["| the method | the network returns | it also has |", "|---|---|---|", *rows])


def page_table() -> str:
    """A row for every page of benchmarks/: what it measures, linked, and its command."""
    rows = []
    for page in sorted((paths.ROOT / "benchmarks").glob("*.md")):
        title, colon, command = page.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ").partition(": `")
        if colon:
            rows.append(f"| [{title}]({page.name}) | `{command} |")
    return "\n".join(["| page | command |", "|---|---|", *rows])


def lesson_costs() -> str:
    """A row for every stored row of `mlcourse bench lessons`."""
    rows = [f"| {row['lesson']} | {row['seconds']} | {row['pace']} | {row['peak_mb']:,} | {row['bytes']:,} |"
            for row in read("lessons")]
    return "\n".join(["| lesson | seconds | pace | peak MB | bytes |", "|---|---|---|---|---|", *rows])


def widget_costs() -> str:
    """A row for every stored row of `mlcourse bench widgets`, in milliseconds."""
    rows = []
    for row in read("widgets"):
        compute = f"{row['compute_ms']:{'.1f' if row['compute_ms'] >= 0.1 else 'g'}}"
        rows.append(f"| {row['widget']} | {row['changes']} | {compute} | {row['draw_ms']} | {row['p95_ms']} "
                    f"| {row['key_to_pixel_ms']} |")
    head = "| widget | changes | compute ms | draw ms | p95 ms | key to pixel ms |"
    return "\n".join([head, "|---|---|---|---|---|---|", *rows])


FILES = {
    "README.md": {"lessons": lesson_table, "methods": method_table, "domains": domain_table, "arms": arm_list},
    "docs/your_own_network.md": {"networks": network_table},
    "benchmarks/README.md": {"pages": page_table},
    "benchmarks/lessons.md": {"lessons": lesson_costs},
    "benchmarks/widgets.md": {"widgets": widget_costs},
}


def filled(text: str, parts: Mapping[str, Callable[[], str]]) -> str:
    """The text with each part between its marks, <!-- NAME --> and <!-- /NAME -->, made anew. Raises ValueError where a
    mark is missing."""
    for name, make in parts.items():
        between = re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- /{name} -->)", re.DOTALL)
        if not between.search(text):
            raise ValueError(f"the text lacks the marks of {name!r}; write <!-- {name} --> and <!-- /{name} --> around "
                             "it")
        table = make()
        text = between.sub(lambda found, table=table: found[1] + table + found[2], text)
    return text


def fill_notation() -> None:
    """Make the table of symbols on the notation page anew."""
    path = notebooks.find(glossary.NOTATION)
    notebook = notebooks.read(path)
    for cell in notebook.cells:
        if "<!-- symbols -->" in cell.source:
            cell.source = filled(cell.source, {"symbols": glossary.symbol_table})
    notebooks.write(notebook, path)


if __name__ == "__main__":
    for file, made in FILES.items():
        path = paths.ROOT / file
        write_atomically(path, filled(path.read_text(encoding="utf-8"), made).encode())
    write_atomically(glossary.PAGE, glossary.page().encode())
    fill_notation()
    for lesson in notebooks.lessons():
        frame.fill(lesson.path)
