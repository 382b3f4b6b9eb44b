"""What lesson 02 says of its study is what the rows bear out."""

import pytest

from mlcourse.course import notebooks
from mlcourse.lessons.l02_transfer import gaps
from mlcourse.lessons.l02_transfer.checks_results import CLAIMS
from mlcourse.rows import read

ROWS = read("freeze")
FOUND: list[tuple] = []     # one curve, less another, at k: the sign, as it is written


def lesson():
    """The Markdown of the lesson."""
    return "\n".join(cell.source for cell in notebooks.read(notebooks.find("02")).cells if cell.cell_type == "markdown")


def sign(gap):
    """What an interval bears out."""
    return "+" if gap.low > 0 else "-" if gap.high < 0 else "open"


@pytest.mark.parametrize("one, other, k, expected, written", FOUND)
def test_a_finding_is_that_of_the_rows(one, other, k, expected, written):
    gap = gaps.difference(ROWS, one, other, k)
    assert sign(gap) == expected and written in lesson()
    assert f"{abs(gap.mean):.1f} ± {gap.half:.1f}" in written


@pytest.mark.parametrize("key", CLAIMS)
def test_a_verdict_is_that_of_the_gap_and_of_its_p_value_after_holm(key):
    claim = CLAIMS[key]
    if claim.arm != claim.other:
        assert claim.right == "unfair"
        return
    gap, p = gaps.gaps(ROWS, claim.arm)[claim.source, claim.k]
    assert claim.right == ("open" if p >= 0.05 else "hurts" if gap.mean > 0 else "helps")
