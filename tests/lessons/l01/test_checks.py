"""What the checks of lesson 01 say of several wrong entries at once, and right answers in other forms."""

import pytest
import torch

from mlcourse.exercises import exercise
from mlcourse.exercises.framework import judge
from mlcourse.lessons.l01_domains.checks import ANOTHER, CHOICES, SITUATIONS
from mlcourse.lessons.l01_domains.checks_remedy import CLAIMS

RIGHT = {key: right for key, (right, _, _) in SITUATIONS.items()}
BORNE_OUT = {key: claim.right for key, claim in CLAIMS.items()}


def test_every_wrong_situation_is_told_its_own_mistake():
    for key, right in RIGHT.items():
        for other in set(CHOICES) - {right}:
            result = judge(exercise("01.1"), RIGHT | {key: other})
            assert result.misconception == ANOTHER.get((key, other), SITUATIONS[key][1:])[0], (key, other)
            assert f"look at {key}: " in result.message


def test_a_mistake_made_twice_points_at_both_entries():
    said = judge(exercise("01.6"), BORNE_OUT | {"c": "no", "d": "no"})
    assert said.misconception == "an interval that includes 0 taken for a loss" and "look at c, d: " in said.message
    said = judge(exercise("01.1"), RIGHT | {"a": "modality", "f": "modality"})
    assert "look at a, f: " in said.message


def test_every_verdict_has_a_misconception_for_each_other_answer():
    for claim in CLAIMS.values():
        assert {claim.right, *claim.others} == {"yes", "no", "open"}


@pytest.mark.parametrize("said", ["yes", "no", "open"])
def test_a_verdict_on_the_left_and_on_the_right_is_told_which_way_it_errs(said):
    names = {key: judge(exercise("01.6"), BORNE_OUT | {key: said}).misconception for key in "ab"}
    assert names == {"a": {"yes": None, "no": "a gain called a loss", "open": "a gain that is there, left open"}[said],
                     "b": {"yes": "weights taken for a remedy everywhere", "no": None,
                           "open": "a loss that is there, left open"}[said]}


@pytest.mark.parametrize("source", [
    # concept first, the whole table last but one; and by the quotient of the two tables, in NumPy
    "def name_shift(p, q):\n    near = lambda a, b: torch.allclose(a, b, rtol=0, atol=1e-9)\n"
    "    if near(p.sum(1), q.sum(1)):\n        return 'none' if near(p, q) else 'concept'\n"
    "    if near(p / p.sum(0), q / q.sum(0)):\n        return 'label'\n"
    "    return 'covariate' if near(p.T / p.sum(1), q.T / q.sum(1)) else 'several'",
    "import numpy as np\ndef name_shift(p, q):\n    r = (q / p).numpy()\n"
    "    flat = lambda axis: np.ptp(r, axis).max() < 1e-7\n"
    "    if abs(r - 1).max() < 1e-7:\n        return 'none'\n    if flat(1):\n        return 'covariate'\n"
    "    if flat(0):\n        return 'label'\n"
    "    return 'concept' if np.allclose(p.sum(1), q.sum(1), atol=1e-9) else 'several'",
])
def test_shifts_named_in_another_way_pass(source):
    namespace = {"torch": torch}
    exec(source, namespace)
    assert judge(exercise("01.4"), namespace["name_shift"]).passed


@pytest.mark.parametrize("order", ["label covariate concept", "concept covariate label", "covariate concept label"])
def test_equal_worlds_forgotten_are_named_whatever_comes_first(order):
    def name_shift(p, q):
        same = lambda a, b: torch.allclose(a, b, rtol=0, atol=1e-9)
        of = {"covariate": lambda t: t / t.sum(1, keepdim=True), "label": lambda t: t / t.sum(0), "concept":
              lambda t: t.sum(1)}
        return next((name for name in order.split() if same(of[name](p), of[name](q))), "several")

    said = judge(exercise("01.4"), name_shift)
    assert said.misconception == "the equal worlds forgotten" and "compare the whole tables first" in said.message
