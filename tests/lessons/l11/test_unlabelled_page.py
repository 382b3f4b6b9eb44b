"""What the page of the study of unlabelled pools says, held against the stored rows."""

import re

import pytest
import torch

from mlcourse.episode.pools import apportioned, dirichlet
from mlcourse.lessons.l11_unlabelled import study_unlabelled_tables as tables
from mlcourse.lessons.l11_unlabelled.study_unlabelled import CHOOSING, STUDY
from mlcourse.lessons.l11_unlabelled.study_unlabelled_arms import (ARMS, BALANCED_AT_TEST, BALANCES, CLUSTER, GLYPHS,
                                                                   MASKED, OMNIGLOT, PROTO, QUERY, RATES, SHOT, SOFT,
                                                                   SOFT_AT_TEST, TOLD, UNEVEN, UNLABELLED, WAY)
from mlcourse.lessons.l11_unlabelled.study_unlabelled_results import apart, beyond_told
from mlcourse.rows import read
from mlcourse.system import paths

ROWS = read("unlabelled")
PAGE = (paths.RESULTS.parent / "unlabelled.md").read_text(encoding="utf-8")
LOW = "0.5"
EVEN = "even"
# what the prose of the page says, in its order: the part and two times (arm, distractors, balance), or how much more
# than the ceiling (an arm, distractors) changes
SAID = (
    (GLYPHS, (SOFT, 0, EVEN), (SOFT_AT_TEST, 0, EVEN)), (GLYPHS, (SOFT, 5, EVEN), (SOFT_AT_TEST, 5, EVEN)),
    (GLYPHS, (SOFT, 5, EVEN), (PROTO, 5, EVEN)), (GLYPHS, (SOFT_AT_TEST, 5, EVEN), (PROTO, 5, EVEN)),
    (GLYPHS, (MASKED, 5, EVEN), (PROTO, 5, EVEN)), (GLYPHS, (MASKED, 5, EVEN), (SOFT, 5, EVEN)),
    (GLYPHS, (MASKED, 5, EVEN), (SOFT_AT_TEST, 5, EVEN)), (GLYPHS, (CLUSTER, 5, EVEN), (SOFT_AT_TEST, 5, EVEN)),
    (GLYPHS, (CLUSTER, 5, EVEN), (MASKED, 5, EVEN)), (GLYPHS, (MASKED, 0, EVEN), (SOFT_AT_TEST, 0, EVEN)),
    (GLYPHS, (MASKED, 0, EVEN), (SOFT, 0, EVEN)), (GLYPHS, (CLUSTER, 0, EVEN), (MASKED, 0, EVEN)),
    (GLYPHS, (CLUSTER, 0, EVEN), (SOFT_AT_TEST, 0, EVEN)), (GLYPHS, (SOFT_AT_TEST, 0, LOW), (SOFT_AT_TEST, 0, EVEN)),
    (GLYPHS, (MASKED, 0, LOW), (MASKED, 0, EVEN)), (GLYPHS, (MASKED, 5, LOW), (MASKED, 5, EVEN)),
    (GLYPHS, (TOLD, 0, LOW), (TOLD, 0, EVEN)), (SOFT_AT_TEST, 0), (SOFT_AT_TEST, 5), (SOFT, 0), (SOFT, 5), (MASKED, 5),
    (GLYPHS, (BALANCED_AT_TEST, 0, EVEN), (SOFT_AT_TEST, 0, EVEN)),
    (GLYPHS, (BALANCED_AT_TEST, 0, LOW), (BALANCED_AT_TEST, 0, EVEN)),
    (GLYPHS, (BALANCED_AT_TEST, 0, LOW), (PROTO, 0, LOW)), (GLYPHS, (UNEVEN, 5, "0.2"), (MASKED, 5, "0.2")),
    (GLYPHS, (UNEVEN, 5, EVEN), (MASKED, 5, EVEN)), (OMNIGLOT, (MASKED, 5, EVEN), (SOFT, 5, EVEN)),
    (OMNIGLOT, (CLUSTER, 5, EVEN), (MASKED, 5, EVEN)), (OMNIGLOT, (CLUSTER, 0, EVEN), (SOFT, 0, EVEN)),
    (OMNIGLOT, (SOFT, 0, EVEN), (SOFT_AT_TEST, 0, EVEN)), (OMNIGLOT, (SOFT, 5, EVEN), (PROTO, 5, EVEN)),
    (OMNIGLOT, (MASKED, 0, EVEN), (SOFT, 0, EVEN)), (OMNIGLOT, (MASKED, 0, EVEN), (SOFT_AT_TEST, 0, EVEN)),
)
TABLES = {
    "glyphs": lambda rows: tables.even(rows), "omniglot": lambda rows: tables.even(rows, OMNIGLOT),
    "no distractors": lambda rows: tables.balances(rows, 0), "distractors": lambda rows: tables.balances(rows, 5),
    "weights": tables.weights, "errors": tables.errors, "rates": tables.rates,
}


def test_every_arm_has_a_row_for_every_seed():
    chosen = [row for row in ROWS if row["split"] == "test"]
    assert sorted(map(STUDY.key_of, chosen)) == sorted(STUDY.plan(STUDY.work(), STUDY.budget))


def test_the_rate_is_the_best_on_validation_classes():
    chosen = [row for row in ROWS if row["split"] == "val"]
    assert {row["seed"] for row in chosen} == {CHOOSING}
    assert {row["arm"] for row in chosen} == {name for name, arm in ARMS.items() if arm.is_candidate}
    found = {rate: [row["accuracy"][0] for row in chosen if row["rate"] == rate] for rate in RATES}
    assert len({len(values) for values in found.values()}) == 1
    assert max(found, key=lambda rate: sum(found[rate])) == RATES[0]


@pytest.mark.parametrize("made", TABLES.values(), ids=TABLES)
def test_the_page_has_the_tables_of_the_rows(made):
    assert made(ROWS) in PAGE


def test_the_numbers_in_its_prose_are_those_of_the_rows():
    prose = "\n".join(line for line in PAGE.splitlines() if not line.startswith("|"))
    wanted = [beyond_told(ROWS, *each, LOW) if len(each) == 2 else apart(ROWS, *each[1:], each[0]) for each in SAID]
    touches = lambda gap: f"{abs(gap.mean):.1f}" == f"{gap.half:.1f}"       # 0 by one digit: so it has two
    assert (re.findall(r"[+-]\d+\.\d+ ± \d+\.\d+", prose)
            == [each.text(1 + touches(each), sign=True) for each in wanted])
    assert tables.shares(ROWS) in " ".join(prose.split())


def test_how_many_pools_the_cap_cuts():
    for a, percent in ((1.0, 11), (0.5, 32), (0.2, 64)):
        shares = dirichlet(20_000, WAY, a, torch.Generator().manual_seed(0))
        cut = (apportioned(shares, WAY * UNLABELLED, WAY * UNLABELLED).amax(1) > 20 - SHOT - QUERY).float().mean()
        assert round(100 * float(cut)) == percent
    assert "cuts 11 % of those at a = 1, 32 % at 0.5 and 64 % at 0.2" in " ".join(PAGE.split())


def test_what_the_page_calls_told_apart_is_and_what_it_does_not_is_not():
    less = lambda one, other, part=GLYPHS: apart(ROWS, one, other, part)
    for alike in (less((CLUSTER, 5, EVEN), (MASKED, 5, EVEN)), less((MASKED, 0, EVEN), (SOFT, 0, EVEN)),
                  less((CLUSTER, 0, EVEN), (SOFT_AT_TEST, 0, EVEN)), less((SOFT_AT_TEST, 5, EVEN), (PROTO, 5, EVEN)),
                  *(less((UNEVEN, 5, a), (MASKED, 5, a)) for a in BALANCES if a != "0.2"),
                  *(less((UNEVEN, 0, a), (MASKED, 0, a)) for a in BALANCES),
                  less((SOFT, 5, EVEN), (PROTO, 5, EVEN), OMNIGLOT),
                  less((MASKED, 0, EVEN), (SOFT, 0, EVEN), OMNIGLOT)):
        assert alike.low < 0 < alike.high
    omniglot = lambda one, other: less(one, other, OMNIGLOT)
    for below in (less((SOFT, 0, EVEN), (SOFT_AT_TEST, 0, EVEN)), less((SOFT, 5, EVEN), (SOFT_AT_TEST, 5, EVEN)),
                  less((SOFT, 5, EVEN), (PROTO, 5, EVEN)), less((MASKED, 0, EVEN), (SOFT_AT_TEST, 0, EVEN)),
                  less((MASKED, 0, EVEN), (CLUSTER, 0, EVEN)), less((MASKED, 5, "0.2"), (UNEVEN, 5, "0.2")),
                  omniglot((CLUSTER, 5, EVEN), (MASKED, 5, EVEN)), omniglot((SOFT, 0, EVEN), (CLUSTER, 0, EVEN)),
                  omniglot((SOFT, 0, EVEN), (SOFT_AT_TEST, 0, EVEN))):
        assert below.high < 0


def test_what_the_rows_say():
    """The bars of the lesson, each a paired difference over five seeds."""
    for part in (GLYPHS, OMNIGLOT):
        less = lambda one, other, part=part: apart(ROWS, one, other, part)
        assert less((MASKED, 5, "even"), (SOFT, 5, "even")).low > 0          # the mask under distractors
        assert less((BALANCED_AT_TEST, 0, "even"), (PROTO, 0, "even")).low > 0
        assert less((BALANCED_AT_TEST, 0, LOW), (PROTO, 0, LOW)).high < -5      # the fall under imbalance
        for arm in (SOFT, CLUSTER, MASKED):
            assert less((arm, 0, LOW), (arm, 0, "even")).high < 0
            assert less((arm, 0, "even"), (PROTO, 0, "even")).low > 0
        for balance in BALANCES:        # what is told its labels is a ceiling, and does not look at distractors
            assert abs(less((TOLD, 0, balance), (TOLD, 5, balance)).mean) < 0.01      # sums in another order
            assert less((TOLD, 0, balance), (SOFT_AT_TEST, 0, balance)).low > 0
    for arm in (SOFT, CLUSTER, SOFT_AT_TEST):          # what mere lack of drawings does not explain
        assert beyond_told(ROWS, arm, 0, LOW).high < 0 and beyond_told(ROWS, arm, 0, LOW).low > -1
    assert STUDY.pictures(STUDY.work(), ROWS)[""].alt.startswith("Balanced assignment: +")
