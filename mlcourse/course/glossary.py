"""The glossary, docs/glossary.md: every term that a lesson's record defines, in the order of the alphabet."""

from __future__ import annotations

from typing import NamedTuple

from mlcourse.course import notebooks
from mlcourse.lesson import Lesson, lessons
from mlcourse.system import paths

PAGE = paths.ROOT / "docs" / "glossary.md"
HEAD = """\
# Glossary

The terms of the course, each with the lesson that introduces it. The [notation page](../notebooks/99_notation.ipynb) has
the symbols. The lessons' records define the terms; `python -m mlcourse.course.readme` writes this page.

"""


class Term(NamedTuple):
    """A term, the sentence that defines it, and the two digits of its lesson."""

    name: str
    sentence: str
    lesson: str


def defined(record: Lesson) -> dict[str, str]:
    """The terms of a lesson's record with their sentences; empty where it names none."""
    return record.load(record.terms) if record.terms else {}


def terms() -> list[Term]:
    """Every term of the course, in the order of the alphabet. Raises ValueError for one that two lessons define."""
    found: dict[str, Term] = {}
    for record in lessons():
        for name, sentence in defined(record).items():
            if (first := found.get(name.casefold())) is not None:
                raise ValueError(f"{name!r} of lesson {record.number} is defined in lesson {first.lesson} already; "
                                 "a term is defined once, in the lesson that introduces it")
            found[name.casefold()] = Term(name, sentence, record.number)
    return [found[name] for name in sorted(found)]


def page() -> str:
    """The page. Raises ValueError for a term that is defined twice, FileNotFoundError for a lesson without a notebook."""
    lines = []
    for term in terms():
        about = notebooks.read_lesson(notebooks.find(term.lesson))
        lines.append(f"- **{term.name}**: {term.sentence} [{term.lesson} {about.title}](../notebooks/{about.path.name})")
    return HEAD + "\n".join(lines) + "\n"
