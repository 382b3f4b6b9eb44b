"""What the text of lesson 09 says in numbers, against sums of its own and the rows of its study."""

import math

import pytest

from mlcourse.course import notebooks
from mlcourse.lessons.l09_memory import figures, live
from mlcourse.lessons.l09_memory.checks_results import CLAIMS
from mlcourse.lessons.l09_memory.figures import KEY_VALUE, LSTM, MANN, NEIGHBOUR, STRONG, UNGUESSED
from mlcourse.lessons.l09_memory.predictions import PREDICTIONS
from mlcourse.memory import elimination_bound
from mlcourse.rows import read
from mlcourse.statistics import t_interval


def text():
    """The Markdown of the lesson, its white space made even."""
    cells = notebooks.read(notebooks.find("09")).cells
    return " ".join(" ".join(cell.source for cell in cells if cell.cell_type == "markdown").split())


@pytest.fixture(scope="module")
def rows():
    return read("memory")


def mean(rows, value):
    return t_interval([value(row) for row in figures.of(rows, figures.COPY, "NTM")]).mean


def test_the_numbers_on_paper_are_right():
    sharp = 0.1**3 / (0.1**3 + 0.9**3)
    assert f"{sharp:.3f} and {1 - sharp:.3f}" in text()
    assert f"={math.log(5):.2f}" in text()


def test_copies_and_what_they_need_are_the_rows(rows):
    many = [row["wrong_128"]["40"] for row in figures.of(rows, figures.COPY, "NTM")]
    assert f"from {figures.whole(min(many))} to {figures.whole(max(many))} of 320" in text()
    lost = [mean(rows, lambda row, part=part: row["without"][part]) for part in ("content", "shift", "sharpening")]
    assert (f"get {figures.whole(lost[0])} of 80 bits wrong without content, {lost[1]:.0f} without the shift, "
            f"{lost[2]:.0f} without sharpening") in text()
    assert figures.wrong(rows, LSTM, 10) > 10 > 10 * figures.wrong(rows, "NTM", 10)
    assert all(row["wrong"]["40"] > row["wrong_128"]["40"] for row in figures.of(rows, figures.COPY, "NTM"))


@pytest.mark.parametrize("key", CLAIMS)
def test_each_verdict_is_that_of_its_paired_interval(key, rows):
    claim = CLAIMS[key]
    gap = figures.apart(rows, claim.one, claim.other, claim.presentation)
    assert claim.verdict == ("yes" if gap.low > 0 else "no" if gap.high < 0 else "open")


@pytest.mark.parametrize("one, other", [(NEIGHBOUR, KEY_VALUE), (KEY_VALUE, UNGUESSED)])
def test_the_gaps_are_those_of_the_text(one, other, rows):
    gap = figures.apart(rows, one, other, 2)
    assert gap.low > 0 and f"{gap.mean:.1f} ± {gap.half:.1f} points at the second" in text()


def test_shares_gaps_and_who_leads_are_those_of_the_text(rows):
    mean = lambda arm, presentation: t_interval(figures.by_seed(rows, arm, presentation).values()).mean
    assert f"the key–value memory has {mean(KEY_VALUE, 2):.0f} % at the second presentation" in text()
    assert all(figures.best(rows, presentation) == NEIGHBOUR for presentation in (2, 3, 4, 5, 6))
    assert figures.apart(rows, STRONG, LSTM, 2).low < 0 < figures.apart(rows, STRONG, LSTM, 2).high
    assert figures.apart(rows, MANN, LSTM, 2).high < 0 and "MANN, which cannot address sharply, is slightly" in text()
    gap = max((figures.apart(rows, arm, LSTM, each) for arm in (MANN, STRONG) for each in range(1, 7)),
              key=lambda gap: gap.mean)
    assert f"at best worth {gap.mean:.1f} ± {gap.half:.1f} points over an LSTM of the same loss" in text()
    updates = {row["arm"]: row["updates"] for row in rows if row["part"] == figures.STREAM}
    assert updates[LSTM] == updates[MANN] == updates[STRONG] == updates[UNGUESSED] == 2800


def test_nobody_beats_elimination_at_the_first_presentation(rows):
    for arm in figures.ARMS:
        assert max(figures.by_seed(rows, arm, 1).values()) < 100 * elimination_bound(5)


def test_the_table_has_every_arm_and_what_is_no_arm_is_named(rows):
    lines = figures.presentations(rows).split("\n")
    assert [line.split("  ")[0].removesuffix(" *") for line in lines[1:-2]] == list(figures.ARMS)
    assert "45.7" in lines[-2]
    assert all(len(figures.by_seed(rows, arm, 1)) == 5 for arm in figures.ARMS)
    with pytest.raises(ValueError, match=f"no row of 'MAML' .*; {UNGUESSED}; {KEY_VALUE}; "):
        figures.apart(rows, "MAML", LSTM, 2)
    with pytest.raises(ValueError, match="a whole number from 1 to 6, got 7"):
        figures.apart(rows, LSTM, MANN, 7)


def test_the_streams_of_the_lesson_hold_as_many_characters_as_its_text_says():
    old, new = live.streams()
    assert f"streams of {len(old.samples)} training characters" in text() and len(new.samples) == live.CLASSES


@pytest.mark.parametrize("arm", figures.ARMS)
def test_a_name_counts_as_the_table_prints_it_and_as_it_is_typed(arm, rows):
    wanted = figures.apart(rows, arm, LSTM, 2)
    for typed in (f"{arm} *", f"{arm}*", arm.replace("–", "-"), f" {arm.upper()} ", f"{arm.replace('–', '-')} *"):
        assert figures.apart(rows, typed, LSTM, 2) == wanted
        assert figures.apart(rows, LSTM, typed, 2).mean == -wanted.mean


def test_the_gap_between_drawings_of_a_replication_is_that_of_the_prediction():
    asked = next(each for each in PREDICTIONS if each.id == "09.p3")
    assert "right in 88.8 % of second presentations, its LSTM in 59.0 %" in text()
    assert f"{88.8 - 59.0:.0f} points ahead" in asked.question
