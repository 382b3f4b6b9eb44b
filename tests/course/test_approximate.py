"""Live numbers in stored texts: what counts as the same on another processor."""

import pytest
from hypothesis import given, settings, strategies as st

from mlcourse.course.approximate import settle


@pytest.mark.parametrize("stored, now", [
    ("error ≈0.82 ± 0.08", "error ≈1.05 ± 0.10"),                       # within three half-widths
    ("error ≈6.8 ± 0.7", "error ≈7.6 ± 2.1"),                           # one task more in the tail
    ("≈58 ± 2 % (95 % interval over 200 episodes).", "≈ 63 ± 2 % (95 % interval over 200 episodes)."),
    ("PAD ≈[0.67, 0.80]", "PAD ≈[0.55, 0.70]"),
    ("≈-0.03   95 % interval ≈[-0.28, 0.23]", "≈0.08   95 % interval ≈[-0.19, 0.34]"),
    ("right ≈62 %", "right ≈90 %"),                                     # a factor of two
    ("loss ≈ 0.04", "loss ≈0.18"),                                      # or 0.15
    ("off ≈2.4e-05, ≈2·10⁻⁵ and ≈−0.5", "off ≈3.9e-05, ≈4·10⁻⁵ and ≈-0.4"),
    ("loss ≈nan then ≈inf, ≈1,234 steps", "loss ≈nan then ≈inf, ≈1,500 steps"),
    ("≈100.0 ± 0.0 %", "≈99.9 ± 0.1 %")])                               # an interval of no width
def test_another_processor_says_the_same(stored, now):
    assert settle(stored, now) == stored and settle(stored, stored) == stored


@pytest.mark.parametrize("stored, now", [
    ("error ≈0.82 ± 0.08", "error ≈1.07 ± 0.08"),
    ("error ≈0.82 ± 0.08", "error ≈0.82 ± 0.50"),                       # another width is another experiment
    ("error ≈0.82 ± 0.08", "error ≈0.82"),
    ("PAD ≈[0.67, 0.80]", "PAD ≈[0.67, 1.30]"),
    ("right ≈62 %", "right ≈12 %"),
    ("loss ≈0.4", "loss ≈0.9"),
    ("loss ≈nan", "loss ≈0.9"), ("loss ≈0.9", "loss ≈inf"), ("≈-1.5", "≈1.5"),
    ("loss ≈0.40 of 3", "loss ≈0.41 of 4"),                             # what is not marked is compared to the letter
    ("loss 0.40", "loss 0.41"), ("MAML wins, ≈0.4", "ANIL wins, ≈0.4"), ("≈0.4 and ≈0.5", "≈0.4")])
def test_another_experiment_does_not(stored, now):
    assert settle(stored, now) != stored


@given(st.floats(-1e6, 1e6), st.floats(0.01, 100), st.floats(-2.9, 2.9))
@settings(deadline=None)
def test_an_interval_may_move_by_three_of_its_half_widths(middle, half, by):
    write = lambda m: f"≈{m:.6f} ± {half:.6f} over 5 seeds"
    assert settle(write(middle), write(middle + by * half)) == write(middle)
    assert settle(write(middle), write(middle + 3.1 * half)) != write(middle)
