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
    """Every symbol of the course, in the order of the lessons. Within a lesson a symbol means one thing; two lessons
    may give one letter each their own meaning. Raises ValueError for a symbol that a lesson defines twice, and for one
    that two lessons define alike."""
    found: list[Symbol] = []
    meant: dict[tuple[str, str], str] = {}
    for record in lessons():
        own: set[str] = set()
        for key, (code, meaning) in (record.load(record.symbols) if record.symbols else {}).items():
            for one in TOGETHER.split(key):
                if one in own:
                    raise ValueError(f"lesson {record.number} defines the symbol {one} twice; choose another one")
                own.add(one)
                if (first := meant.setdefault((one, meaning), record.number)) != record.number:
                    raise ValueError(f"the symbol {one} of lesson {record.number} is defined in lesson {first} "
                                     "already; a meaning is given once, in the lesson that introduces it")
            found.append(Symbol(key, code, meaning, record.number))
    return found


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
