"""The terms and symbols of the lessons: each defined once, in one sentence, and used by its lesson; the glossary and
the notation page are made of them."""

import re
from types import SimpleNamespace

import pytest

from mlcourse.course import glossary, notebooks, readme
from mlcourse.lesson import lessons

GREEK = {"alpha": "α", "beta": "β", "theta": "θ", "lambda": "λ", "tau": "τ", "omega": "ω"}      # in prose too
every_lesson = pytest.mark.parametrize("record", lessons(), ids=lambda record: record.number)


def prose(number):
    """The Markdown of a lesson, its white space made even."""
    cells = notebooks.read(notebooks.find(number)).cells
    return " ".join(" ".join(cell.source for cell in cells if cell.cell_type == "markdown").split())


@every_lesson
def test_every_term_is_a_word_of_its_lesson_and_defined_in_one_plain_sentence(record):
    text = prose(record.number)
    for term, sentence in glossary.defined(record).items():
        assert re.search(rf"(?<!\w){re.escape(term)}", text, re.IGNORECASE), f"lesson {record.number} lacks {term!r}"
        assert re.fullmatch(r"[A-Z].*[^.]\.", sentence) and not re.search(r"\. [A-Z]", sentence), f"{term}: {sentence}"
        assert len(sentence.split()) <= 30, f"{term}: {sentence}"


@every_lesson
def test_every_symbol_is_written_in_its_lesson(record):
    text = re.sub(r"\\[,;! ]", "", prose(record.number))
    lines = [each.tex for each in glossary.symbols() if each.lesson == record.number]
    mine = [one for line in lines for one in glossary.TOGETHER.split(line)]
    assert not [one for one in mine if not re.search(written(one), text)]


def written(symbol):
    """A pattern for a symbol in a formula, with any white space, or a Greek letter by itself in prose."""
    tex = symbol.strip("$")
    formula = r"\s*".join(map(re.escape, re.findall(r"\\[a-zA-Z]+|\S", tex)))
    return "|".join([rf"(?<![a-zA-Z\\]){formula}(?![a-zA-Z])", *filter(None, [GREEK.get(tex[1:])])])


def test_a_term_that_two_lessons_define_is_said(monkeypatch):
    one, other = lessons()[:2]
    monkeypatch.setattr(glossary, "lessons", lambda: (one, other))
    own = {one.number: {"Episode": "One."}, other.number: {"episode": "Another."}}
    monkeypatch.setattr(glossary, "defined", lambda record: own[record.number])
    monkeypatch.setattr(glossary, "chinese", lambda record: {"Episode": "一", "episode": "二"})
    with pytest.raises(ValueError, match="'episode' of lesson 01 is defined in lesson 00 already"):
        glossary.terms()
    monkeypatch.setattr(glossary, "chinese", lambda record: {})
    with pytest.raises(ValueError, match="'Episode' of lesson 00 has no Chinese name; add it to its CHINESE"):
        glossary.terms()


@every_lesson
def test_every_term_and_no_other_word_has_a_chinese_name(record):
    named = glossary.chinese(record)
    assert set(named) == set(glossary.defined(record))
    assert all(re.search(r"[\u4e00-\u9fff]", name) for name in named.values())


def records(*symbols):
    """Records of lessons 00, 01, … with these SYMBOLS."""
    return tuple(SimpleNamespace(number=f"{i:02d}", symbols="terms:SYMBOLS", load=lambda place, mine=mine: mine)
                 for i, mine in enumerate(symbols))


def test_a_symbol_that_two_lessons_define_alike_is_said(monkeypatch):
    meaning = ("", "a meaning")
    monkeypatch.setattr(glossary, "lessons", lambda: records({"$a$, $b(x, y)$": meaning}, {"$b(x, y)$": meaning}))
    with pytest.raises(ValueError, match=r"the symbol \$b\(x, y\)\$ of lesson 01 is defined in lesson 00 already"):
        glossary.symbols()


def test_a_symbol_means_one_thing_within_a_lesson(monkeypatch):
    twice = {"$a$, $b$": ("", "one thing"), "$b$": ("", "another")}
    monkeypatch.setattr(glossary, "lessons", lambda: records({}, twice))
    with pytest.raises(ValueError, match=r"lesson 01 defines the symbol \$b\$ twice"):
        glossary.symbols()


def test_a_letter_with_another_meaning_in_another_lesson_has_a_row_for_each(monkeypatch):
    monkeypatch.setattr(glossary, "lessons", lambda: records({"$k$": ("", "steps")}, {"$k$": ("", "labels")}))
    assert [(each.tex, each.meaning, each.lesson) for each in glossary.symbols()] == [
        ("$k$", "steps", "00"), ("$k$", "labels", "01")]


def test_the_letters_that_lessons_share_are_told_apart():
    lessons_of = lambda one: {each.lesson for each in glossary.symbols() if one in glossary.TOGETHER.split(each.tex)}
    shared = {"$k$": {"04", "13"}, "$M$": {"02", "16", "17"}, "$t$": {"01", "12"}, "$z$": {"10", "15", "16"},
              "$u$": {"03", "04"}, "$a_i$": {"03", "16"}, "$R$": {"03", "13"}, "$g$": {"05", "14", "16"}}
    assert {symbol: lessons_of(symbol) for symbol in shared} == shared


def test_the_notation_page_holds_what_the_records_say():
    first = notebooks.read(notebooks.find(glossary.NOTATION)).cells[0].source
    assert readme.filled(first, {"symbols": glossary.symbol_table}) == first, "run python -m mlcourse.course.readme"


def test_the_page_holds_what_the_records_say():
    page = glossary.PAGE.read_text(encoding="utf-8")
    assert page == glossary.page(), "run python -m mlcourse.course.readme"
    names = re.findall(r"^- \*\*(.+?)\*\* \(.+?\): ", page, re.MULTILINE)
    assert names == sorted(names, key=str.casefold)
    assert len(names) == sum(len(glossary.defined(record)) for record in lessons())
    for link in set(re.findall(r"\]\((.+?)\)", page)):
        assert (glossary.PAGE.parent / link).is_file(), link
