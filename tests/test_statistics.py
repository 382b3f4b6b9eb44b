"""How sure a mean is: every interval against an oracle, and the text that says it."""

import warnings

import numpy as np
import pytest
import torch
from scipy import optimize, stats

from mlcourse.statistics import (Estimate, cell, columns, fitted_line, holm, interval, paired_difference, paired_p_value,
                                 paired_ratio, resplit_interval, t_interval, unpaired_difference, wilson)

RNG = np.random.default_rng


@pytest.fixture(autouse=True)
def in_silence():
    """No case may warn, whatever the values."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


# -------------------------------------------------------------- the estimate


def test_an_estimate_has_ends_and_comes_apart():
    found = Estimate(2.0, 0.5, 5, "seeds")
    mean, half = found
    assert (mean, half, found.low, found.high) == (2.0, 0.5, 1.5, 2.5)
    assert found.times(100) == Estimate(200.0, 50.0, 5, "seeds")
    with pytest.raises(AttributeError):
        found.mean = 3.0
    with pytest.raises(ValueError, match="must be positive, got -1"):
        found.times(-1)


@pytest.mark.parametrize("how, text", [
    ({}, "12.3 ± 0.5"), ({"digits": 2}, "12.35 ± 0.46"), ({"digits": 0}, "12 ± 0"), ({"sign": True}, "+12.3 ± 0.5"),
    ({"tight": True}, "12.3±0.5"), ({"digits": 2, "sign": True}, "+12.35 ± 0.46")])
def test_the_text_has_the_digits_and_the_sign_asked_for(how, text):
    assert Estimate(12.346, 0.456, 5, "seeds").text(**how) == text


def test_without_an_interval_the_text_is_the_mean_alone():
    assert t_interval([63.25]).text(2) == "63.25" and t_interval([-1.0]).text(sign=True) == "-1.0"
    assert interval([1.0, np.inf]).text() == "inf"


def test_a_cell_is_an_interval_a_value_or_a_dash():
    assert cell([1.0, 2.0, 3.0]) == t_interval([1.0, 2.0, 3.0]).text() == "2.0 ± 2.5"
    assert (cell([3.0]), cell({}.values()), cell([0.125], 2)) == ("3.0", "–", "0.12")


def test_columns_are_what_error_bars_take():
    mean, half = columns([Estimate(1.0, 0.1, 5, "seeds"), Estimate(2.0, 0.2, 5, "seeds")])
    assert mean.tolist() == [1.0, 2.0] and half.tolist() == [0.1, 0.2]
    assert [column.shape for column in columns([])] == [(0,), (0,)]


# -------------------------------------------------------------- means


def test_the_interval_over_episodes_against_numpy():
    values = RNG(0).normal(3, 2, 400)
    found = interval(values)
    assert (found.n, found.covers) == (400, "episodes") and found.mean == pytest.approx(np.mean(values))
    assert found.half == pytest.approx(1.96 * np.std(values, ddof=1) / 20)
    assert interval(torch.from_numpy(values)) == found == interval(list(values))
    assert tuple(interval([2, 2, 2])) == (2, 0)


@pytest.mark.parametrize("n", [2, 5, 9])
def test_the_t_interval_over_seeds_against_scipy(n):
    values = RNG(n).normal(size=n)
    found = t_interval(values)
    assert (found.low, found.high) == pytest.approx(stats.t.interval(0.95, n - 1, values.mean(), stats.sem(values)))
    assert (found.n, found.covers) == (n, "seeds") and found.half > interval(values).half
    assert t_interval(dict(enumerate(values)).values()) == found


@pytest.mark.parametrize("estimate, n", [(interval, 100), (t_interval, 3), (t_interval, 5)])
def test_intervals_cover_the_truth_19_times_in_20(estimate, n):
    rng = RNG(1)
    found = [estimate(rng.normal(0.5, 2, n)) for _ in range(4000)]
    assert 0.94 < np.mean([each.low < 0.5 < each.high for each in found]) < 0.96


@pytest.mark.parametrize("estimate", [interval, t_interval, resplit_interval])
def test_one_value_has_no_interval(estimate):
    found = estimate([0.5])
    assert (found.mean, found.n) == (0.5, 1) and np.isnan([found.half, found.low, found.high]).all()
    assert not found.low > 0 and not found.high < 1          # nothing is claimed


@pytest.mark.parametrize("estimate", [interval, t_interval, resplit_interval])
@pytest.mark.parametrize("bad, mean", [(np.inf, np.inf), (-np.inf, -np.inf), (np.nan, np.nan)])
def test_values_that_are_not_finite_have_no_interval(estimate, bad, mean):
    assert tuple(estimate(torch.tensor([1.0, bad, 2.0]))) == pytest.approx((mean, np.nan), nan_ok=True)
    assert tuple(estimate([np.inf, -np.inf])) == pytest.approx((np.nan, np.nan), nan_ok=True)


def test_splits_that_share_data_widen_the_interval_as_nadeau_and_bengio_say():
    values = RNG(3).normal(size=10)
    variance = np.var(values, ddof=1)
    for share in (1.0, 0.25):
        want = stats.t.ppf(0.975, 9) * np.sqrt((1 / 10 + share) * variance)
        assert resplit_interval(values, share).half == pytest.approx(want)
    assert resplit_interval(values).covers == "splits"
    with pytest.raises(ValueError, match="test_share must be positive, got 0"):
        resplit_interval(values, 0)


def test_no_value_and_no_list_are_refused():
    for estimate in (interval, t_interval, resplit_interval):
        with pytest.raises(ValueError, match=r"at least 1 value, got an array of shape \(0,\)"):
            estimate([])
        with pytest.raises(ValueError, match=r"got an array of shape \(3, 2\)"):
            estimate(np.ones((3, 2)))


# -------------------------------------------------------------- pairs


def test_a_paired_difference_against_scipy():
    rng = RNG(4)
    seed = rng.normal(0, 5, 6)
    a, b = 60 + seed + rng.normal(size=6), 57 + seed + rng.normal(size=6)
    paired, loose = paired_difference(a, b), unpaired_difference(a, b)
    assert (paired.low, paired.high) == pytest.approx(tuple(stats.ttest_rel(a, b).confidence_interval()))
    assert (loose.low, loose.high) == pytest.approx(tuple(stats.ttest_ind(a, b).confidence_interval()))
    assert paired.mean == pytest.approx(loose.mean) and paired.half < loose.half / 2
    shuffled = rng.permutation(6)
    assert tuple(paired_difference(dict(enumerate(a)), {i: b[i] for i in shuffled})) == pytest.approx(tuple(paired))


def test_pairs_need_the_same_seeds():
    with pytest.raises(ValueError, match=r"the same seeds on both sides, got \[0, 1\] and \[0, 2\]"):
        paired_difference({0: 1.0, 1: 2.0}, {0: 1.0, 2: 2.0})
    for estimate in (paired_difference, unpaired_difference, paired_ratio):
        with pytest.raises(ValueError, match="equal lengths, got 3 and 2"):
            estimate([1, 2, 3], [1, 2])


def test_pairs_of_one_seed_or_of_infinite_values_have_no_interval():
    assert tuple(paired_difference({3: 2.0}, {3: 1.5})) == pytest.approx((0.5, np.nan), nan_ok=True)
    assert np.isnan(paired_difference([np.inf, 1], [np.inf, 2]).half)
    assert np.isnan(unpaired_difference([np.inf, 1], [np.inf, 2]).half)
    assert np.isnan(unpaired_difference([2.0], [1.0]).half) and unpaired_difference([2.0], [1.0]).mean == 1


def test_a_paired_ratio_against_the_bootstrap():
    rng = RNG(2)
    difficulty = rng.exponential(1, 600)
    a, b = 3 * difficulty + rng.normal(0, 0.3, 600), difficulty + rng.normal(1, 0.2, 600)
    found = paired_ratio(a, b)
    draws = rng.integers(0, 600, (4000, 600))
    boot = a[draws].mean(1) / b[draws].mean(1)
    assert found.mean == pytest.approx(a.mean() / b.mean())
    assert found.low == pytest.approx(np.quantile(boot, 0.025), abs=0.2 * found.half)
    assert found.high == pytest.approx(np.quantile(boot, 0.975), abs=0.2 * found.half)
    assert paired_ratio(a, rng.permutation(b)).half > 1.5 * found.half         # pairing is what makes it narrow


def test_a_ratio_that_never_varies_has_no_width_and_one_to_0_is_refused():
    b = np.array([1.0, 4.0, 2.0])
    assert tuple(paired_ratio(2.5 * b, b)) == pytest.approx((2.5, 0))
    with pytest.raises(ValueError, match="the mean of b is 0"):
        paired_ratio([1, 2], [1, -1])


@pytest.mark.parametrize("bad, mean", [(np.inf, np.inf), (-np.inf, -np.inf), (np.nan, np.nan)])
def test_a_ratio_of_values_that_are_not_finite_has_no_interval(bad, mean):
    assert tuple(paired_ratio([1.0, bad, 2.0], [1, 2, 3])) == pytest.approx((mean, np.nan), nan_ok=True)
    assert np.isnan(paired_ratio([1, 2, 3], [1.0, bad, 2.0]).half) and np.isnan(paired_ratio([1.0], [2.0]).half)


# -------------------------------------------------------------- shares and lines


@pytest.mark.parametrize("correct, low, high", [
    (0, 0.0, 0.278), (5, 0.237, 0.763), (9, 0.596, 0.982), (10, 0.722, 1.0)])
def test_wilson_intervals_have_the_textbook_values(correct, low, high):
    assert wilson(correct, 10) == pytest.approx((low, high), abs=1e-3)
    assert wilson(correct, 10)[0] <= correct / 10 <= wilson(correct, 10)[1]
    with pytest.raises(ValueError, match=r"0..10 of at least 1"):
        wilson(11, 10)


def test_the_ends_of_wilson_are_the_roots_of_its_quadratic():
    """The shares p that `right` of n lies 1.96 standard errors of p away from: (right/n - p)² n = 1.96² p (1 - p)."""
    for right, n in ((1, 4), (9, 10), (37, 50), (480, 600)):
        score = lambda p: (right / n - p) ** 2 * n - 1.96 ** 2 * p * (1 - p)
        ends = optimize.brentq(score, 1e-9, right / n), optimize.brentq(score, right / n, 1 - 1e-9)
        assert wilson(right, n) == pytest.approx(ends)


def test_a_fitted_line_recovers_a_line_and_says_how_well_it_fits():
    assert fitted_line([1, 2, 3, 4], [5, 7, 9, 11]) == pytest.approx((2, 3, 1))
    slope, intercept, r2 = fitted_line([0, 1, 2, 3], [0, 0, 1, 1])
    assert (slope, intercept, r2) == pytest.approx((0.4, -0.1, 0.8))
    assert fitted_line([1, 2, 3], [5, 5, 5]) == pytest.approx((0, 5, 1))
    for x, y in (([1, 2], [1, 2]), ([1, 2, 3], [1, 2]), ([2, 2, 2], [1, 2, 3])):
        with pytest.raises(ValueError, match="at least 3 points that differ in x"):
            fitted_line(x, y)


# ------------------------------------------------------------------ families of tests


def test_the_p_value_is_scipys():
    a, b = [1.0, 2.5, 3.1, 4.9], [0.5, 2.6, 2.0, 3.3]
    assert paired_p_value(a, b) == pytest.approx(stats.ttest_rel(a, b).pvalue, rel=1e-12)
    assert paired_p_value({0: 1.0, 1: 2.0}, {1: 1.0, 0: 0.5}) == pytest.approx(stats.ttest_rel([1.0, 2.0], [0.5, 1.0]).pvalue)
    assert np.isnan(paired_p_value([1.0], [2.0]))


def test_holm_multiplies_by_what_is_left_and_never_falls():
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005}) == pytest.approx(
        {"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02})           # the example of Holm's procedure by hand
    assert holm({"a": 0.6, "b": 0.7}) == {"a": 1.0, "b": 1.0} and holm({}) == {}
