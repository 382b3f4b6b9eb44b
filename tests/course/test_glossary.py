"""The terms of the lessons: each defined once, in one sentence, and used by its lesson; the page is made of them."""

import re

import pytest

from mlcourse.course import glossary, notebooks
from mlcourse.lesson import lessons

every_lesson = pytest.mark.parametrize("record", lessons(), ids=lambda record: record.number)


def prose(number):
    """The Markdown of a lesson, its white space made even."""
    cells = notebooks.read(notebooks.find(number)).cells
    return " ".join(" ".join(cell.source for cell in cells if cell.cell_type == "markdown").split())


@every_lesson
def test_every_term_is_a_word_of_its_lesson_and_defined_in_one_plain_sentence(record):
    text = prose(record.number)
    for term, sentence in glossary.defined(record).items():
        assert re.search(rf"(?<!\w){re.escape(term)}", text, re.IGNORECASE), f"lesson {record.number} does not say {term!r}"
        assert re.fullmatch(r"[A-Z].*[^.]\.", sentence) and not re.search(r"\. [A-Z]", sentence), f"{term}: {sentence}"
        assert len(sentence.split()) <= 30, f"{term}: {sentence}"


def test_a_term_that_two_lessons_define_is_said(monkeypatch):
    one, other = lessons()[:2]
    monkeypatch.setattr(glossary, "lessons", lambda: (one, other))
    own = {one.number: {"Episode": "One."}, other.number: {"episode": "Another."}}
    monkeypatch.setattr(glossary, "defined", lambda record: own[record.number])
    with pytest.raises(ValueError, match="'episode' of lesson 01 is defined in lesson 00 already"):
        glossary.terms()


def test_the_page_holds_what_the_records_say():
    page = glossary.PAGE.read_text(encoding="utf-8")
    assert page == glossary.page(), "run python -m mlcourse.course.readme"
    names = re.findall(r"^- \*\*(.+?)\*\*: ", page, re.MULTILINE)
    assert names == sorted(names, key=str.casefold)
    assert len(names) == sum(len(glossary.defined(record)) for record in lessons())
    for link in set(re.findall(r"\]\((.+?)\)", page)):
        assert (glossary.PAGE.parent / link).is_file(), link
