"""What the text of lesson 11 says in numbers, against the rows of its study and sums of its own."""

import re

import pytest

from mlcourse.course import notebooks
from mlcourse.lessons.l11_unlabelled import figures, results
from mlcourse.lessons.l11_unlabelled import study_unlabelled_results as study
from mlcourse.lessons.l11_unlabelled.checks_results import CLAIMS
from mlcourse.lessons.l11_unlabelled.pool import EPISODES, characters
from mlcourse.lessons.l11_unlabelled.predictions import PREDICTIONS
from mlcourse.lessons.l11_unlabelled.results import BALANCES, DISTRACTORS, apart
from mlcourse.rows import read

ROWS = read("unlabelled")
GAP = re.compile(r"(\d+\.\d) ± (\d+\.\d)")


def text():
    """The Markdown of the lesson, its white space made even."""
    cells = notebooks.read(notebooks.find("11")).cells
    return " ".join(" ".join(cell.source for cell in cells if cell.cell_type == "markdown").split())


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)
def test_a_verdict_is_that_of_its_paired_interval(claim):
    gap = apart(ROWS, claim.one, claim.other, claim.distractors, claim.balance)
    assert claim.verdict == ("yes" if gap.low > 0 else "no" if gap.high < 0 else "open")


def test_every_gap_of_the_text_is_a_paired_difference_of_two_arms():
    gaps = [apart(ROWS, one, other, others, balance) for others in DISTRACTORS for balance in BALANCES
            for one in results.ARMS for other in results.ARMS if one != other]
    known = {(f"{abs(gap.mean):.1f}", f"{gap.half:.1f}") for gap in gaps}
    said = GAP.findall(text())
    assert len(said) >= 5 and set(said) <= known


def test_the_study_has_five_seeds_of_every_arm():
    for arm in results.ARMS:
        for others in DISTRACTORS:
            assert set(study.values(ROWS, arm, others)) == {0, 1, 2, 3, 4}
            assert arm in figures.table(ROWS)


def test_the_predictions_about_the_study_are_borne_out():
    p = {each.id: each for each in PREDICTIONS}
    assert p["11.p2"].holds(gap=apart(ROWS, results.SOFT, results.PROTO, 5))
    assert p["11.p3"].holds(gap=apart(ROWS, results.BALANCED, results.PROTO, 0, "0.5"))


def test_an_unknown_arm_number_or_balance_is_refused():
    with pytest.raises(ValueError, match="no arm 'MAML'"):
        apart(ROWS, "MAML", results.PROTO, 0)
    with pytest.raises(ValueError, match="no number of other classes 3"):
        apart(ROWS, results.SOFT, results.PROTO, 3)
    with pytest.raises(ValueError, match="no balance '7'"):
        apart(ROWS, results.SOFT, results.PROTO, 0, "7")


def test_the_shares_of_the_commonest_class_are_the_rows():
    shares = study.largest(ROWS)
    assert shares["even"] == 20 and f"has {shares['0.5']:.0f} % of the pool" in text()


def test_episodes_and_features_are_as_many_as_the_text_says():
    assert f"of {EPISODES} episodes, in all {characters().shape[-1]} features" in text()
