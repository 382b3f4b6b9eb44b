"""What the text of lesson 12 says in numbers, against the rows of its study."""

import re

import pytest

from mlcourse.course import notebooks
from mlcourse.exercises import exercise
from mlcourse.lessons.l12_stream import figures
from mlcourse.lessons.l12_stream import study_stream_results as results
from mlcourse.lessons.l12_stream.checks_results import CLAIMS
from mlcourse.lessons.l12_stream.predictions import PREDICTIONS
from mlcourse.lessons.l12_stream.study_stream_arms import (ALONE, EQUAL, FTML, GDUMB, GDUMB_TUNED, NAMES, RANDOM, SIZES,
                                                           TOE, TUNED)
from mlcourse.online.arms import DRIFT, HALF, RAINBOW, TOLD, UPRIGHT
from mlcourse.online.needed import median_needed, samples_needed
from mlcourse.rows import read

ROWS = read("stream")
GAP = re.compile(r"(\d+\.\d) ± (\d+\.\d)")


def text():
    """The Markdown of the lesson, its white space made even."""
    cells = notebooks.read(notebooks.find("12")).cells
    return " ".join(" ".join(cell.source for cell in cells if cell.cell_type == "markdown").split())


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)
def test_a_verdict_is_that_of_its_paired_interval(claim):
    gap = results.apart(ROWS, claim.stream, claim.one, claim.other, claim.samples)
    assert claim.verdict == ("yes" if gap.low > 0 else "no" if gap.high < 0 else "open")


def test_every_gap_of_the_text_is_a_paired_difference():
    gap = lambda one, other, stream=HALF, samples=40: results.apart(ROWS, stream, one, other, samples)
    worth, low, disturbed = gap(FTML, TUNED), gap(ALONE, TUNED), gap(GDUMB, GDUMB_TUNED, UPRIGHT)
    level, ahead = gap(FTML, ALONE, HALF, 200), gap(ALONE, FTML, UPRIGHT, 200)
    drifting, turned = gap(RANDOM, FTML, DRIFT), gap(FTML, TOE, RAINBOW)
    assert min(worth.low, disturbed.low, ahead.low, drifting.low, turned.low, low.high, level.high) > 0
    assert max(low.low, level.low) < 0
    for said in (f"FTML leads fine-tune by {worth.text()} points with 40", f"from fine-tuning ({low.text()} points)",
                 f"cost GDumb's {disturbed.text()} points", f"contradict each other ({level.text()} points)",
                 f"and {ahead.text()} points ahead", f"lead it by {drifting.text()} points with 40",
                 f"as on the paper's Rainbow MNIST, by {turned.text()} points; only *random features alone* pass"):
        assert said in text()
    assert len(GAP.findall(text())) == 7


def test_what_is_said_without_a_number_is_in_the_rows():
    for arm in (TOE, GDUMB, RANDOM):
        assert all(n is None for n in results.needed(ROWS, HALF, arm).values())
        assert 30 < results.mean_accuracy(ROWS, HALF, arm, 40).mean < 36           # "a third right"
    assert results.mean(ROWS, TOLD, FTML, "passed").mean < 0.1
    assert [arm for arm in NAMES if {*results.values(ROWS, RAINBOW, arm, "passed").values()} == {1}] == [ALONE]
    gaps = [results.apart(ROWS, HALF, FTML, TUNED, n).mean for n in SIZES]
    assert gaps == sorted(gaps, reverse=True)                                   # worth most with few samples


def test_the_ratio_at_ftmls_cost_is_that_of_the_rows():
    found = results.ratio(ROWS, HALF, FTML, EQUAL)
    assert f"*FTML's cost*, it is {found.text()}" in text() and found.high < 2 / 3


@pytest.mark.parametrize("stream", [HALF, UPRIGHT])
def test_the_tables_are_of_the_rows_by_the_learners_count(stream):
    lines = figures.table(ROWS, stream, exercise("12.1").reference()).splitlines()
    shown = [arm for arm in NAMES if results.needed(ROWS, stream, arm)]
    assert [line[:24].strip() for line in lines[1:]] == shown
    for line, arm in zip(lines[1:], shown, strict=True):
        each = [samples_needed(curve, SIZES, 0.85) for curve in figures.arriving(ROWS, stream, arm)]
        assert len(each) == 30
        assert str(median_needed(each) or f"> {SIZES[-1]}") in line
        assert results.mean_accuracy(ROWS, stream, arm, 40).text() in line


def test_the_predictions_about_the_study_are_borne_out():
    p = {each.id: each for each in PREDICTIONS}
    assert p["12.p2"].holds(ratio=results.ratio(ROWS, HALF, FTML, TUNED))
    assert p["12.p3"].holds(gap=results.apart(ROWS, UPRIGHT, GDUMB, FTML))
    assert all(each.right in each.options for each in PREDICTIONS)
