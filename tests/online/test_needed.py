"""Samples needed: the first size that passes, and Kaplan and Meier's estimate against published values and scipy."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import CensoredData, ecdf

from mlcourse.online import Needed, kaplan_meier, median_needed, samples_needed, share_passed

SIZES = (10, 20, 40)

# Weeks of remission of 21 patients under 6-MP and of 21 without (Freireich et al., Blood 1963): the textbook example.
TREATED = [*(Needed(n, True) for n in (6, 6, 6, 7, 10, 13, 16, 22, 23)),
           *(Needed(n, False) for n in (6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35))]
UNTREATED = [Needed(n, True) for n in (1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23)]


@pytest.mark.parametrize(("accuracy", "needed"), [
    ((0.9, 0.2, 0.2), Needed(10, True)), ((0.1, 0.85, 0.9), Needed(20, True)), ((0.1, 0.2, 0.84), Needed(40, False))])
def test_the_first_size_that_reaches_the_threshold_counts(accuracy, needed):
    assert samples_needed(torch.tensor(accuracy, dtype=torch.float64), SIZES, 0.85) == needed


def test_the_textbook_example():
    assert dict(kaplan_meier(TREATED)) == pytest.approx(
        {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}, abs=5e-4)
    assert median_needed(TREATED) == 23 and median_needed(UNTREATED) == 8


@settings(max_examples=60, deadline=None)
@given(st.lists(st.builds(Needed, st.sampled_from((10, 20, 30, 40, 80)), st.booleans()), min_size=1, max_size=30))
def test_it_agrees_with_scipy(needed):
    passed, censored = [[each.samples for each in needed if each.passed is which] for which in (True, False)]
    if not passed:
        assert kaplan_meier(needed) == []
        return
    survival = ecdf(CensoredData(uncensored=passed, right=censored)).sf
    curve = kaplan_meier(needed)
    assert [share for _, share in curve] == pytest.approx([float(survival.evaluate(n)) for n, _ in curve], abs=1e-9)
    assert [n for n, _ in curve] == sorted(set(passed))


def test_t5_what_never_passed_is_no_number():
    cap = 40
    few = [Needed(10, True), Needed(cap, False), Needed(cap, False)]
    assert share_passed(few) == pytest.approx(1 / 3) and median_needed(few) is None
    many = [Needed(10, True), Needed(20, True), Needed(cap, False)]
    assert median_needed(many) == 20
    # with one cap for all the median is that of the numbers, whatever the cap
    assert median_needed([Needed(10, True), Needed(20, True), Needed(4000, False)]) == 20
    assert kaplan_meier([Needed(cap, False)]) == [] and median_needed([Needed(cap, False)]) is None


def test_bad_input_is_refused_in_a_sentence():
    with pytest.raises(ValueError, match="every size needs an accuracy"):
        samples_needed(torch.zeros(2), SIZES, 0.85)
    with pytest.raises(ValueError, match="must lie in 0 to 1"):
        samples_needed(torch.zeros(3), SIZES, 85)
    for function in (share_passed, kaplan_meier, median_needed):
        with pytest.raises(ValueError, match="at least one"):
            function([])
