"""What the page of the race says, held against the stored rows."""

import math

import pytest

from mlcourse.lessons.l07_optimiser import study_optimisers_arms as arms
from mlcourse.lessons.l07_optimiser.study_optimisers import ARMS, FIRST
from mlcourse.lessons.l07_optimiser.study_optimisers_settings import SETTINGS, TRAINED
from mlcourse.rows import read
from mlcourse.statistics import paired_difference

TESTED = [row for row in read("optimisers") if row["split"] == "test"]


def values(arm, setting, field="mean_loss"):
    """{seed: value}; of `last` the logarithm to base 10."""
    found = {row["seed"]: row[field] for row in TESTED if (row["arm"], row["setting"]) == (arm, setting)}
    return {seed: math.log10(value) for seed, value in found.items()} if field == "last" else found


def learned_less(arm, setting, field="mean_loss"):
    return paired_difference(values(arms.LEARNED, setting, field), values(arm, setting, field))


def test_every_arm_raced_in_every_setting_on_the_same_functions_as_the_others():
    seeds = set(values(arms.LEARNED, TRAINED))
    assert seeds == set(range(FIRST, FIRST + 5))        # not one that was seen before the training was settled
    for setting in SETTINGS:
        for seed in seeds:
            starts = {row["curve"][0] for row in TESTED if (row["setting"], row["seed"]) == (setting, seed)}
            assert len(starts) == 1
        assert all(set(values(arm, setting)) == seeds for arm in ARMS)


@pytest.mark.parametrize("arm", [arms.SGD, arms.MOMENTUM, arms.ADAM, arms.BETAS_TOO])
@pytest.mark.parametrize("field", ["mean_loss", "median_loss"])
def test_as_trained_the_learned_optimiser_beats_what_is_tuned_by_more_than_the_interval(arm, field):
    assert learned_less(arm, TRAINED, field).high < 0 < learned_less(arms.CG, TRAINED, field).low


def test_past_its_training_others_overtake_it():
    for arm in (arms.MOMENTUM, arms.BETAS_TOO, arms.CLOSED):
        assert learned_less(arm, "500 steps", "last").low > 0, arm
    assert learned_less(arms.BETAS_TOO, "200 steps", "last").low > 0
    own, learned = (values(arm, "500 steps", "last") for arm in (arms.ADAM, arms.LEARNED))
    assert all(learned[seed] > own[seed] for seed in own)         # the interval is that of one seed's other decay
    assert len({row["chosen"] for row in TESTED if (row["arm"], row["setting"]) == (arms.ADAM, TRAINED)}) == 2
    assert learned_less(arms.MOMENTUM, TRAINED, "last").high < 0


def test_past_its_training_it_goes_on_more_slowly_and_its_loss_does_not_rise():
    for row in TESTED:
        if (row["arm"], row["setting"]) == (arms.LEARNED, "500 steps"):
            left = dict(zip(row["at"], row["curve"], strict=True))
            assert left[100] > left[200] > left[500] > left[100] / 5
            assert left[50] > 2 * left[100]


def test_from_farther_away_and_on_rounder_functions_it_loses():
    assert learned_less(arms.SGD, "start 10 times as far").low > 0 > learned_less(
        arms.SGD, "start 10 times as far", "last").high
    for arm in (arms.SGD, arms.MOMENTUM, arms.BETAS_TOO):
        assert learned_less(arm, "condition 10", "last").low > 0
    for arm in (arms.SGD, arms.MOMENTUM, arms.ADAM, arms.BETAS_TOO, arms.AGAIN):
        assert learned_less(arm, "condition 100,000").high < 0


def test_no_tuned_rate_lies_at_the_end_of_its_grid():
    ends = {arm: {f"{rate:g}" for rate in (grid[0], grid[-1])} for arm, grid in (
        (arms.ADAM, arms.ADAM_RATES), (arms.BETAS_TOO, arms.ADAM_RATES), (arms.AGAIN, arms.ADAM_RATES),
        (arms.SGD, arms.SGD_RATES), (arms.MOMENTUM, arms.SGD_RATES))}
    for row in TESTED:
        if row["arm"] in ends:
            assert row["chosen"].split(",")[0].removeprefix("rate ") not in ends[row["arm"]], row["chosen"]
