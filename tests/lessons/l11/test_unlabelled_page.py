"""What the page of the study of unlabelled pools says, held against the stored rows."""

import re

import pytest

from mlcourse.lessons.l11_unlabelled import study_unlabelled_tables as tables
from mlcourse.lessons.l11_unlabelled.study_unlabelled import CHOOSING, STUDY
from mlcourse.lessons.l11_unlabelled.study_unlabelled_arms import (ARMS, BALANCED_AT_TEST, BALANCES, CLUSTER, GLYPHS,
                                                                   MASKED, OMNIGLOT, PROTO, RATES, SOFT, SOFT_AT_TEST,
                                                                   TOLD, UNEVEN)
from mlcourse.lessons.l11_unlabelled.study_unlabelled_results import apart, beyond_told
from mlcourse.rows import read
from mlcourse.system import paths

ROWS = read("unlabelled")
PAGE = (paths.RESULTS.parent / "unlabelled.md").read_text(encoding="utf-8")
LOW = "0.5"
# what the prose of the page compares: the part, and two times (arm, distractors, balance)
SAID = (
    (GLYPHS, (SOFT, 0, "even"), (SOFT_AT_TEST, 0, "even")), (GLYPHS, (SOFT, 5, "even"), (PROTO, 5, "even")),
    (GLYPHS, (MASKED, 5, "even"), (SOFT, 5, "even")), (GLYPHS, (MASKED, 5, "even"), (SOFT_AT_TEST, 5, "even")),
    (GLYPHS, (CLUSTER, 5, "even"), (MASKED, 5, "even")), (GLYPHS, (CLUSTER, 0, "even"), (SOFT, 0, "even")),
    (GLYPHS, (MASKED, 0, "even"), (SOFT, 0, "even")), (GLYPHS, (SOFT_AT_TEST, 0, LOW), (SOFT_AT_TEST, 0, "even")),
    (GLYPHS, (MASKED, 0, LOW), (MASKED, 0, "even")), (GLYPHS, (MASKED, 5, LOW), (MASKED, 5, "even")),
    (GLYPHS, (TOLD, 0, LOW), (TOLD, 0, "even")), (GLYPHS, (BALANCED_AT_TEST, 0, "even"), (SOFT_AT_TEST, 0, "even")),
    (GLYPHS, (BALANCED_AT_TEST, 0, LOW), (BALANCED_AT_TEST, 0, "even")),
    (GLYPHS, (BALANCED_AT_TEST, 0, LOW), (PROTO, 0, LOW)), (GLYPHS, (UNEVEN, 5, "0.2"), (MASKED, 5, "0.2")),
    (GLYPHS, (UNEVEN, 5, "even"), (MASKED, 5, "even")), (OMNIGLOT, (MASKED, 5, "even"), (SOFT, 5, "even")),
    (OMNIGLOT, (CLUSTER, 5, "even"), (MASKED, 5, "even")), (OMNIGLOT, (MASKED, 0, "even"), (SOFT, 0, "even")),
    (OMNIGLOT, (CLUSTER, 0, "even"), (SOFT, 0, "even")),
)
BEYOND = ((SOFT_AT_TEST, 0), (SOFT_AT_TEST, 5), (MASKED, 5))      # and how much steeper than the ceiling they fall
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
    wanted = [apart(ROWS, *where, part).text(sign=True) for part, *where in SAID]
    wanted += [beyond_told(ROWS, arm, count, LOW).text(sign=True) for arm, count in BEYOND]
    assert sorted(re.findall(r"[+-]\d+\.\d ± \d+\.\d", prose)) == sorted(wanted)
    assert tables.shares(ROWS) in " ".join(prose.split())


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
