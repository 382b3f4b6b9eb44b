"""How long a lesson is, by the count that the course sets itself, and where it exceeds it.

What the section Further holds is counted for itself: its heading is stored collapsed, so a learner meets it on request.
"""

from __future__ import annotations

import ast
import html
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from mlcourse.course import notebooks
from mlcourse.exercises import every_exercise
from mlcourse.lesson import lessons

REFERENCE_PAGES = ("99",)       # to look things up in: without exercises
HELP = "How to work here"     # a heading of lesson 00, and the last link of the line of links at both ends of a lesson
PROGRESS = re.compile(r'show_progress\("\d\d"\)')
LINKS = re.compile(rf"\n*^.*\[{HELP}\]\(.*\)$", re.MULTILINE)
FURTHER = re.compile(r"(\d+\s+)?Further\b")
SYMBOLS = re.compile("<!-- symbols -->.*<!-- /symbols -->", re.DOTALL)     # made of the lessons' records

MOST = {"words": 1800, "lines": 150, "longest_cell": 20, "longest_line": 99, "pictures": 8, "widgets": 3,
        "exercise_minutes": 25, "minutes": 60, "further_words": 250, "further_cells": 3, "open_further": 0,
        "told_predictions": 0}
LEAST = {"exercise_minutes": 20}


@dataclass(frozen=True)
class Size:
    """What a learner reads, runs and does in a lesson, outside Further but for the three that say so; what stands at
    both ends of every lesson, the links and the learner's progress, is left out, and so is the notation page's table of
    all symbols, which nobody reads through.

    words: of the Markdown, and of what the cells print and show as text, the headline and caption of an explorer
    included; alt texts of pictures are no reading. lines: of code, empty ones left out; longest_cell, longest_line (in
    characters): Further included. pictures: those that stand still; widgets: explorers. exercise_minutes: of the
    exercises whose stub does not stand in Further. minutes: of the whole lesson. further_words, further_cells: of
    Further, its cells being those of code; open_further: 1 where its heading is not stored collapsed in a cell of its
    own. told_predictions: predictions whose question or outcome stands in the notebook, and so beside the choice.
    """

    words: int
    lines: int
    longest_cell: int
    longest_line: int
    pictures: int
    widgets: int
    exercise_minutes: int
    minutes: int
    further_words: int
    further_cells: int
    open_further: int
    told_predictions: int


def measure(path: Path) -> Size:
    """The size of the lesson whose notebook lies at `path`. Raises ValueError if the file is no lesson."""
    about = notebooks.read_lesson(path)
    main, further = divide([cell for cell in notebooks.read(path).cells if not PROGRESS.fullmatch(cell.source)])
    code = [_lines(cell) for cell in main + further if cell.cell_type == "code"]
    extra = {id for cell in further for id in notebooks.exercises_of(cell)}
    explorers = {name for record in lessons() for name in record.explorers}
    outputs = [output for cell in main for output in cell.get("outputs", [])]
    shown = [_what(output) for output in outputs if "image/png" in output.get("data", {})]
    return Size(
        words=_words(main, explorers), lines=sum(len(_lines(cell)) for cell in main if cell.cell_type == "code"),
        longest_cell=max(map(len, code), default=0),
        longest_line=max((len(line) for lines in code for line in lines), default=0),
        pictures=sum(what not in explorers for what in shown), widgets=sum(what in explorers for what in shown),
        exercise_minutes=sum(each.minutes for each in every_exercise()
                             if each.id in about.exercises and each.id not in extra),
        minutes=about.minutes,
        further_words=_words(further, explorers),
        further_cells=sum(cell.cell_type == "code" for cell in further),
        open_further=int(bool(further) and not _is_collapsed(further[0])),
        told_predictions=len({id for cell in main + further for id in _told(cell)}))


def excess(path: Path) -> dict[str, int]:
    """By how much a lesson misses what MOST and LEAST allow, by the measures that miss it. A page of reference needs no
    exercises."""
    least = {} if notebooks.read_lesson(path).lesson in REFERENCE_PAGES else LEAST
    size = asdict(measure(path))
    missed = {name: max(value - MOST[name], least.get(name, value) - value) for name, value in size.items()}
    return {name: by for name, by in missed.items() if by > 0}


def divide(cells: list) -> tuple[list, list]:
    """The cells outside the section Further and those in it: from its heading up to the next one of its level or above,
    which is what JupyterLab folds away."""
    main, further, folded = [], [], 0
    for cell in cells:
        headings = notebooks.HEADING.findall(cell.source) if cell.cell_type == "markdown" else []
        if headings:
            marks, text = min(headings, key=lambda heading: len(heading[0]))
            if FURTHER.match(text):
                folded = len(marks)
            elif len(marks) <= folded:
                folded = 0
        (further if folded else main).append(cell)
    return main, further


def _words(cells: list, explorers: set[str]) -> int:
    texts = [SYMBOLS.sub("", LINKS.sub("", cell.source)) for cell in cells if cell.cell_type == "markdown"]
    texts += [_text(output, explorers) for cell in cells for output in cell.get("outputs", [])]
    return sum(len(text.split()) for text in texts)


def _text(output, explorers: set[str]) -> str:
    """What of an output is read as text."""
    data = output.get("data", {})
    if "image/png" in data:
        return output.metadata.get("image/png", {}).get("alt", "") if _what(output) in explorers else ""
    if "text/html" in data:
        bare = re.sub(r"<style.*?</style>|<[^>]+>", " ", data["text/html"], flags=re.DOTALL)
        return html.unescape(bare)
    return output.get("text", data.get("text/plain", ""))


def _what(output) -> str:
    """The class of what an output shows, as its plain form begins."""
    return output.data.get("text/plain", "").partition("(")[0]


def _lines(cell) -> list[str]:
    return [line for line in cell.source.splitlines() if line.strip()]


def _is_collapsed(heading) -> bool:
    return heading.metadata.get(notebooks.COLLAPSED) is True and len(_lines(heading)) == 1


def _told(cell) -> Iterator[str]:
    """The ids of the predictions whose question or outcome a cell spells out."""
    for node in ast.walk(ast.parse(cell.source)) if cell.cell_type == "code" else ():
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("Predict", "outcome") and len(node.args) > 1:
            yield ast.literal_eval(node.args[0])
