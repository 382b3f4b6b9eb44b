"""What the checks of lesson 01 say of several wrong entries at once, and right answers in other forms."""

import pytest
import torch

from mlcourse.exercises import exercise
from mlcourse.exercises.framework import judge
from mlcourse.lessons.l01_domains.checks import ANOTHER, CHOICES, SITUATIONS, memorise, twins
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


def test_copies_in_both_halves_make_the_distance_fall_below_0_on_held_out_rows_alone():
    """Lesson 01's broken line with one of its two mistakes, and with both: as the check says."""
    def distance(a, b, generator, held_out):
        rows_a, rows_b = (torch.randperm(len(a), generator=generator).chunk(2) for _ in "ab")
        train, test = (torch.cat([a[rows_a[half]], b[rows_b[half]]]) for half in (0, int(held_out)))
        y = torch.arange(2).repeat_interleave(len(a) // 2)
        return float(2 * (1 - 2 * (memorise(train, y)(test) != y).double().mean()))

    mean = lambda **how: sum(distance(*twins(seed), torch.Generator().manual_seed(seed), **how)
                             for seed in range(10)) / 10
    assert mean(held_out=True) < -0.5 and mean(held_out=False) == 2
    broken = {"torch": torch}
    exec(exercise("01.3").given.replace("distance_broken", "distance"), broken)
    said = judge(exercise("01.3"), broken["distance"]).message
    assert "on held-out rows what was learned as one name is punished under the other" in said


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
