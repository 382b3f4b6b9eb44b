"""The race of optimisers at a tiny size: the same functions for all, tuning, and what the stored rows say."""

import math

import pytest
import torch

from mlcourse.lessons.l07_optimiser import study_optimisers_arms as arms
from mlcourse.lessons.l07_optimiser.study_optimisers import STUDY, Budget, judged
from mlcourse.lessons.l07_optimiser.study_optimisers_settings import SETTINGS, TEST, TUNING, Setting, functions
from mlcourse.optimisers import momentum
from mlcourse.phases import constant, linear_decay

TINY = Budget(batches=1, batch=4, tuning=6, judged=8)


@pytest.fixture
def few_candidates(monkeypatch):
    """A grid of two rates and two decays."""
    for name, few in (("ADAM_RATES", (0.1, 0.3)), ("SGD_RATES", (1e-3, 3e-3)), ("MOMENTA", (0.5,)),
                      ("BETAS", ((0.9, 0.99),)), ("DECAYS", {"constant": constant, "linear": linear_decay})):
        monkeypatch.setattr(arms, name, few)


def test_the_study_measures_what_is_missing_and_all_arms_in_every_setting(few_candidates):
    work = STUDY.work([3], choose=True)
    found = list(STUDY.measure(work, [], TINY))
    assert sorted(map(STUDY.key_of, found)) == sorted(STUDY.plan(work, TINY))
    tested = [row for row in found if row["split"] == "test"]
    assert {row["setting"] for row in tested} == set(SETTINGS) and len({row["arm"] for row in tested}) == 8
    assert all(row["arm"] in STUDY.line(row) and math.isfinite(row["mean_loss"]) for row in found)
    lost = next(row for row in tested if row["arm"] == arms.LEARNED and row["setting"] == "500 steps")
    again, = STUDY.measure(work, [row for row in found if row is not lost], TINY)
    assert again["curve"] == lost["curve"] and len(lost["curve"]) == len(lost["at"])
    assert "conjugate gradients" in STUDY.pictures(work, found)[""].alt
    for arm in (arms.LEARNED, arms.ADAM):           # all race on the same functions from the same starts
        assert [row["curve"][0] for row in tested if row["arm"] == arm] == [
            row["curve"][0] for row in tested if row["arm"] == arms.CG]


def test_functions_depend_on_the_seed_and_the_set_alone():
    torch.manual_seed(1)
    first = functions(Setting(), 5, 2, TEST)
    torch.manual_seed(2)
    again = functions(Setting(steps=500), 5, 2, TEST)
    assert torch.equal(first[0].w, again[0].w) and torch.equal(first[1], again[1])
    for other in (functions(Setting(), 5, 2, TUNING), functions(Setting(), 5, 3, TEST)):
        assert not torch.equal(first[0].w, other[0].w)
    far = functions(Setting(start=10.0), 5, 2, TEST)
    assert torch.equal(far[0].y, first[0].y) and torch.equal(far[1], 10 * first[1])
    one, other = (functions(Setting(condition=each), 5, 2, TEST)[0] for each in (10.0, 1e5))
    directions = [torch.linalg.svd(f.w)[0].abs() for f in (one, other)]
    torch.testing.assert_close(*directions, rtol=1e-4, atol=1e-4)


def test_what_is_tuned_has_the_lowest_mean_loss_of_its_candidates(few_candidates):
    f, theta = functions(Setting(), 20, 0, TUNING)
    for arm in (arms.SGD, arms.BETAS_TOO):
        name, race = arms.tuned(arm, f, theta, 15)
        found = {each: arms.total(arms.bounded(one(f, theta, 15))) for each, one in arms.candidates(arm).items()}
        assert found[name] == min(found.values()) == arms.total(race(f, theta, 15))
        assert len(found) == 4


def test_adam_has_eight_rates_or_more_evenly_apart_in_their_logarithm_each_with_and_without_decay():
    steps = torch.tensor(arms.ADAM_RATES, dtype=torch.float64).log10().diff()
    assert len(arms.ADAM_RATES) >= 8 and torch.allclose(steps, torch.full_like(steps, 0.25), atol=1e-3)
    names = arms.candidates(arms.ADAM)
    assert len(names) == len(arms.ADAM_RATES) * len(arms.DECAYS)
    assert set(names) < set(arms.candidates(arms.BETAS_TOO))
    assert "rate 0.1, constant, β 0.9 and 0.999" in names and "rate 0.1, cosine, β 0.9 and 0.999" in names


def test_a_decay_is_stretched_over_the_steps_and_the_closed_form_is_each_functions_own():
    assert arms.rates(0.2, "linear", 4) == pytest.approx([0.2, 0.15, 0.1, 0.05])
    assert arms.rates(0.2, "constant", 2) == [0.2, 0.2]
    f, theta = functions(Setting(condition=10.0), 3, 0, TEST)
    losses = arms.told(arms.CLOSED)(f, theta, 60)
    root = 10**0.5
    torch.testing.assert_close(losses, momentum(f, theta, [4 / (64**0.5 * (1 + 1 / root)) ** 2] * 60,
                                                ((root - 1) / (root + 1)) ** 2), rtol=1e-3, atol=1e-12)


def test_what_diverges_is_counted_and_a_row_says_what_its_numbers_are():
    losses = torch.tensor([[1.0, 4.0], [math.inf, 1.0], [math.nan, 1e-20]], dtype=torch.float64)
    row = judged(arms.bounded(losses), Setting(steps=2))
    assert row["worse"] == 0.5 and row["mean_loss"] == pytest.approx((1 + 1 + 1 + 0) / 4, rel=1e-4)
    assert row["at"] == [0, 1, 2] and row["curve"] == pytest.approx([2, 1e6, 1], rel=1e-4)


def test_the_usual_seeds_are_the_fresh_ones():
    assert STUDY.work().seeds == [5, 6, 7, 8, 9] and STUDY.work([3]).seeds == [3]
