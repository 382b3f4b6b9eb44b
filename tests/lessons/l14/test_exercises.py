"""What lesson 14 asks of its rows is what they bear out."""

import pytest

from mlcourse.lessons.l14_daml.checks import CLAIMS
from mlcourse.rows import by_seed, read
from mlcourse.statistics import paired_difference


@pytest.mark.parametrize("key", CLAIMS)
def test_a_verdict_is_that_of_the_stored_rows(key):
    claim = CLAIMS[key]
    rows = [row for row in read("daml") if (row["source"], row["target"]) == ("glyphs-digits", "digits")]
    gap = paired_difference(*(by_seed(rows, arm, claim.k, "accuracy") for arm in (claim.one, claim.other)))
    assert claim.verdict == ("yes" if gap.low > 0 else "no" if gap.high < 0 else "open")
