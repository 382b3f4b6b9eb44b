"""The glossary, notebooks/glossary.md, and the symbols of the notation page: what the lessons' records define."""

from __future__ import annotations

import re
from typing import NamedTuple

from mlcourse.course import notebooks
from mlcourse.lesson import Lesson, lessons
from mlcourse.system import paths

PAGE = paths.NOTEBOOKS / "glossary.md"
NOTATION = "99"
TOGETHER = re.compile(r"(?<=\$), (?=\$)")      # between symbols that share a line
HEAD = """\
# Glossary

The terms of the course, in English and Chinese, each with the lesson that introduces it. The
[notation page](99_notation.ipynb) has the symbols.

"""


class Term(NamedTuple):
    """A term, what it is called in Chinese, the sentence that defines it, and the two digits of its lesson."""

    name: str
    chinese: str
    sentence: str
    lesson: str


class Symbol(NamedTuple):
    """A symbol in TeX, or several that go together, its name in code, what it means, the two digits of its lesson."""

    tex: str
    code: str
    meaning: str
    lesson: str


def defined(record: Lesson) -> dict[str, str]:
    """The terms of a lesson's record with their sentences; empty where it names none."""
    return record.load(record.terms) if record.terms else {}


def chinese(record: Lesson) -> dict[str, str]:
    """The terms of a lesson's record in Chinese; empty where it names none."""
    return record.load(record.chinese) if record.chinese else {}


def terms() -> list[Term]:
    """Every term of the course, in the order of the alphabet. Raises ValueError for one that two lessons define, and
    for one without its Chinese name."""
    found: dict[str, Term] = {}
    for record in lessons():
        named = chinese(record)
        for name, sentence in defined(record).items():
            if (first := found.get(name.casefold())) is not None:
                raise ValueError(f"{name!r} of lesson {record.number} is defined in lesson {first.lesson} already; "
                                 "a term is defined once, in the lesson that introduces it")
            if name not in named:
                raise ValueError(f"{name!r} of lesson {record.number} has no Chinese name; add it to its CHINESE")
            found[name.casefold()] = Term(name, named[name], sentence, record.number)
    return [found[name] for name in sorted(found)]


def symbols() -> list[Symbol]:
    """Every symbol of the course, in the order of the lessons. Raises ValueError for one that two lessons define: a
    symbol means one thing in the whole course."""
    found: dict[str, Symbol] = {}
    for record in lessons():
        for key, (code, meaning) in (record.load(record.symbols) if record.symbols else {}).items():
            for one in TOGETHER.split(key):
                if (first := found.get(one)) is not None:
                    raise ValueError(f"the symbol {one} of lesson {record.number} is defined in lesson {first.lesson} "
                                     "already; choose another one")
                found[one] = Symbol(key, code, meaning, record.number)
    return list(dict.fromkeys(found.values()))


def page() -> str:
    """The glossary. Raises ValueError as `terms` does, FileNotFoundError for a lesson without a notebook."""
    return HEAD + "\n".join(f"- **{term.name}** ({term.chinese}): {term.sentence} {_link(term.lesson)}"
                            for term in terms()) + "\n"


def symbol_table() -> str:
    """The table of the notation page. Raises ValueError as `symbols` does."""
    rows = [f"| {each.tex} | {each.code} | {each.meaning} | {_link(each.lesson, title=False)} |" for each in symbols()]
    return "\n".join(["| symbol | in code | meaning | lesson |", "|---|---|---|---|", *rows])


def _link(lesson: str, title: bool = True) -> str:
    about = notebooks.read_lesson(notebooks.find(lesson))
    return f"[{lesson}{f' {about.title}' if title else ''}]({about.path.name})"
