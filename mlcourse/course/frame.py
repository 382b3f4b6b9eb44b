"""What stands at both ends of every lesson: the way to its neighbours, the glossary, the symbols and the first page."""

from __future__ import annotations

from pathlib import Path

from mlcourse.course import notebooks
from mlcourse.course.standard import HELP, LINKS, REFERENCE_PAGES, divide



def links(path: Path) -> str:
    """The line of links for the lesson at `path`: to the lesson before it and the one after it, of those in its
    folder, and to the pages that all lessons share. A page of reference has no neighbours."""
    about, there = notebooks.read_lesson(path), notebooks.lessons(path.parent)
    course = [lesson for lesson in there if lesson.lesson not in REFERENCE_PAGES]
    beside = course if about in course else []
    before = [lesson for lesson in beside if lesson.lesson < about.lesson]
    after = [lesson for lesson in beside if lesson.lesson > about.lesson]
    link = "[{0.lesson} {0.title}]({0.path.name})".format
    found = [f"← {link(before[-1])}"] if before else []
    found += [f"{link(after[0])} →"] if after else []
    found += ["[Glossary](glossary.md)"]
    found += [f"[Symbols]({page.path.name})" for page in there if page.lesson in REFERENCE_PAGES and page != about]
    return " · ".join([*found, f"[{HELP}]({course[0].path.name}#{HELP.replace(' ', '-')})"])


def ends(cells: list) -> tuple:
    """The two cells of prose in which the line stands: the first one, and the last one that nothing folds away."""
    prose = [cell for cell in divide(cells)[0] if cell.cell_type == "markdown"]
    return prose[0], prose[-1]


def put_links(notebook, path: Path) -> None:
    """Put the line under the title and at the end of `notebook`, in place, instead of those that stand there."""
    line, (first, last) = links(path), ends(notebook.cells)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = LINKS.sub("", cell.source)
    title, _, rest = first.source.partition("\n")
    first.source = f"{title}\n\n{line}\n\n{rest.lstrip()}".rstrip()
    last.source = f"{last.source.rstrip()}\n\n{line}"


def fill(path: Path) -> None:
    """`put_links` in the file; nothing is written where the links are right."""
    notebook = notebooks.read(path)
    before = [cell.source for cell in notebook.cells]
    put_links(notebook, path)
    if [cell.source for cell in notebook.cells] != before:
        notebooks.write(notebook, path)
