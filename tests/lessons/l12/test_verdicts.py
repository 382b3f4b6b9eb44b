"""Exercise 12.6: the rows of the study lead every way to a wrong verdict, and wrong answers are named."""

from itertools import product

import pytest

from mlcourse.exercises import exercise
from mlcourse.exercises.entries import VERDICTS
from mlcourse.exercises.framework import judge
from mlcourse.lessons.l12_stream.checks_results import (ALIKE, ALWAYS, CLAIMS, ELSEWHERE, LARGER, NAMES, OVERLAP,
                                                        SWAPPED, WHY)
from mlcourse.lessons.l12_stream.study_stream_arms import TUNED
from mlcourse.lessons.l12_stream.study_stream_results import apart, mean_accuracy
from mlcourse.rows import read

ROWS = read("stream")
RIGHT = {key: claim.verdict for key, claim in CLAIMS.items()}
WRONG = [(key, verdict) for key in CLAIMS for verdict in VERDICTS if verdict != RIGHT[key]]


def reading(claim, misconceptions):
    """The verdict on a claim by someone who has these misconceptions."""
    one, other = (claim.other, claim.one) if SWAPPED in misconceptions else (claim.one, claim.other)
    stream = next(s for s in NAMES if (s == claim.stream) != (ELSEWHERE in misconceptions))
    samples = 40 if ALWAYS in misconceptions else claim.samples
    gap = apart(ROWS, stream, one, other, samples)
    if OVERLAP in misconceptions and overlap(stream, one, other, samples):
        return "open"
    low, high = (gap.mean, gap.mean) if LARGER in misconceptions else (gap.low, gap.high)
    return "yes" if low > 0 else "no" if high < 0 else "open"


def overlap(stream, one, other, samples):
    """Whether two intervals of a table overlap: of accuracies, or of the differences from fine-tune beside them."""
    pairs = [[mean_accuracy(ROWS, stream, arm, samples) for arm in (one, other)]]
    if TUNED not in (one, other):
        pairs.append([apart(ROWS, stream, arm, TUNED, samples) for arm in (one, other)])
    return any(a.low < b.high and b.low < a.high for a, b in pairs)


def named(**given):
    return judge(exercise("12.6"), RIGHT | given).misconception


@pytest.mark.parametrize(("key", "verdict"), WRONG)
def test_every_way_to_a_wrong_verdict_leads_there(key, verdict):
    ways = CLAIMS[key].misread[verdict]
    assert ways and all(reading(CLAIMS[key], way) == verdict for way in ways)
    assert {(name,) for name in WHY if reading(CLAIMS[key], (name,)) == verdict} <= {*ways}
    assert named(**{key: verdict}) == ", ".join(ways[0])


@pytest.mark.parametrize("name", WHY)
def test_who_has_one_misconception_throughout_is_told_that_one(name):
    given = {key: reading(claim, (name,)) for key, claim in CLAIMS.items()}
    assert given != RIGHT and named(**given) == name


def test_who_has_none_is_right():
    assert {key: reading(claim, ()) for key, claim in CLAIMS.items()} == RIGHT and named() is None


def test_every_wrong_answer_is_named_by_the_fewest_and_points_at_each_wrong_entry():
    for verdicts in product(VERDICTS, repeat=len(CLAIMS)):
        given = dict(zip(CLAIMS, verdicts, strict=True))
        wrong = [key for key in CLAIMS if given[key] != RIGHT[key]]
        found = judge(exercise("12.6"), given)
        assert found.passed == (not wrong) and bool(found.misconception) == bool(wrong)
        if wrong and found.misconception != ALIKE:
            pointed = {key for part in found.message.split("ook at ")[1:] for key in part.partition(":")[0].split(", ")}
            assert pointed == {*wrong}
            assert len(found.misconception.split(", ")) <= sum(len(CLAIMS[key].misread[given[key]][0]) for key in wrong)


def test_the_same_verdict_for_all_is_told_as_such_where_no_one_misconception_explains_it():
    assert named(**dict.fromkeys(CLAIMS, "yes")) == named(**dict.fromkeys(CLAIMS, "no")) == ALIKE
    assert named(**dict.fromkeys(CLAIMS, "open")) == OVERLAP
