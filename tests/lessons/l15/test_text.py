"""What the text of lesson 15 says of the study, against its stored rows."""

import re

import pytest

from mlcourse.course import notebooks
from mlcourse.lessons.l15_distillation import figures
from mlcourse.lessons.l15_distillation.predictions import PREDICTIONS
from mlcourse.rows import read
from mlcourse.statistics import paired_difference, t_interval
from mlcourse.system import paths

STORED = read("distillation")


def reached(arm, width=8, temperature=None):
    return figures.reached(STORED, arm, width, temperature)


def less(one, other, width=8):
    return paired_difference(reached(one, width), reached(other, width))


def mild():
    """Soft targets at τ = 1 less first choices, 8 filters."""
    return paired_difference(reached("distilled", 8, 1.0), reached("first choices"))


def test_every_interval_in_the_text_is_one_of_the_rows():
    cells = notebooks.read(paths.NOTEBOOKS / "15_distillation.ipynb").cells
    text = " ".join(cell.source for cell in cells if cell.cell_type == "markdown")
    shifted = lambda temperature: figures.left_out(STORED, "errors_train", temperature)
    hot = lambda temperature: paired_difference(reached("distilled", 8, temperature), reached("distilled", 8, 1.0))
    whole = paired_difference(*(figures.by_seed(STORED, "left out", arm, "errors") for arm in ("distilled", "labels")))
    rows = {less("of the AdaBN teacher", "distilled").text(sign=True), hot(20.0).text(sign=True),
            hot(4.0).text(sign=True), mild().text(sign=True), less("first choices", "distilled", 4).text(),
            *(less(arm, "source labels, AdaBN").text(sign=True) for arm in ("first choices", "of the AdaBN teacher")),
            paired_difference(shifted(1.0), shifted(20.0)).text(), whole.text(sign=True)}
    said = re.findall(r"[+-]?\d+\.\d ± \d+\.\d", text)
    assert set(said) == rows


def test_the_teacher_was_needed():
    for width in (4, 8):
        assert less("distilled", "source labels", width).low > 0 and less("distilled", "own labels", width).low > 0
    assert less("own labels", "source labels", 4).high < 0
    for pair in (("own labels", "source labels", 8), ("own labels", "source labels", 16),
                 ("distilled", "source labels", 16)):
        assert less(*pair).low < 0 < less(*pair).high
    for pair in (("distilled", "source labels, AdaBN", 8), ("distilled", "own labels", 16)):
        assert less(*pair).low < 0 < less(*pair).high
    assert all(less(arm, "source labels, AdaBN").low > 0 for arm in ("first choices", "of the AdaBN teacher"))
    beaten = {width: paired_difference(reached("teacher"), reached("source labels", width)) for width in (4, 8, 16)}
    assert beaten[4].low > 0 and beaten[8].low > 0 and beaten[16].low < 0


def test_softness_brought_no_gain_that_can_be_told_and_a_better_teacher_pays():
    for soft in (less("distilled", "first choices"), mild(), less("distilled", "first choices", 16)):
        assert soft.low < 0 < soft.high
    assert less("distilled", "first choices", 4).high < 0
    assert {row["temperature"] for row in STORED if (row["arm"], row["width"]) == ("distilled", 4)} == {4.0}
    assert paired_difference(reached("distilled", 8, 20.0), reached("distilled", 8, 1.0)).high < 0
    assert less("of the AdaBN teacher", "distilled").low > 0 and reached("target labels").mean() > 85


def test_the_class_that_was_left_out_is_hardly_named_before_the_shift_and_nearly_always_after():
    for temperature in (1.0, 4.0, 20.0):
        before, after = (figures.threes_named(STORED, shifted, temperature) for shifted in ("", "_train"))
        assert before.max() < 0.1 and after.mean() > 0.6
        total = [figures.left_out(STORED, field, temperature) for field in ("errors", "errors_train")]
        assert (total[0] > total[1]).all()
    assert figures.threes_named(STORED, "_train").mean() > 0.85
    last, first = (figures.left_out(STORED, "errors_train", temperature) for temperature in (20.0, 1.0))
    assert (last < first).all() and 1.8 < first.mean() / last.mean() < 2.2


def test_the_pictures_say_what_the_rows_say():
    gain = less("distilled", "source labels").text(sign=True)
    assert figures.domain_bars(STORED).alt.startswith(f"8 filters: soft targets bring {gain} points over")
    assert f"the teacher {reached('teacher').mean():.1f}" in figures.study_picture(STORED).alt
    rows = figures.table(STORED).splitlines()
    assert rows[1].startswith("source labels") and t_interval(reached("source labels", 4)).text(tight=True) in rows[1]
    assert figures.table_left_out(STORED).count("shifted by") == 3 and "+41.4±13.9" in figures.table_left_out(STORED)
    paired = figures.table_paired(STORED).splitlines()
    assert len(paired) == 1 + len(figures.PAIRS) and paired[1].split()[-3:] == [
        less("distilled", "source labels", width).text(sign=True, tight=True) for width in (4, 8, 16)]


def test_how_many_of_the_smallest_students_first_labels_are_right():
    right = t_interval(figures.by_seed(STORED, "domains", "own labels", "given_right", width=4))
    prediction, = (each for each in PREDICTIONS if each.id == "15.p4")
    said = prediction.happened(less("own labels", "source labels", 4))
    assert f"Of its first own labels, the surest tenth, {right.text(0)} % were right." in said
    given = figures.by_seed(STORED, "domains", "own labels", "given", width=4)
    assert given == pytest.approx([10] * 5, abs=0.1)        # so no probability was as high as 0.9


def test_differences_are_asked_for_by_the_names_of_the_table():
    asked = figures.less(STORED, "AdaBN teacher's soft targets", "soft targets")
    assert asked.text() == less("of the AdaBN teacher", "distilled").text()
    with pytest.raises(ValueError, match="has no row 'distilled'; its rows are source labels, "):
        figures.less(STORED, "distilled", "source labels")
