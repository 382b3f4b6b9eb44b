"""The two-sample test by two discriminators, on sets whose answer is known."""

import numpy as np
import pytest
import torch

from mlcourse.domains.distances import proxy_a_distance
from mlcourse.domains.two_sample import DISCRIMINATORS, two_sample
from tiny import patterns


def bars(count, bright, seed):
    """Noise with a bar, its brightness out of 255."""
    pictures = torch.randint(0, 100, (count, 1, 16, 16), generator=torch.Generator().manual_seed(seed))
    pictures[..., 6:9, :] += bright
    return pictures.byte()


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_the_same_distribution_is_not_told_apart(name):
    found = two_sample(bars(120, 50, 0), bars(120, 50, 1), name, splits=3, permutations=200)
    assert abs(found.pad.value) < 0.5 and found.p > 0.05


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_different_ones_are_and_the_test_repeats(name):
    a, b = bars(80, 20, 0), bars(80, 90, 1)
    found = two_sample(a, b, name, splits=2, permutations=200)
    assert found.pad.value > 1.5 and found.p == pytest.approx(1 / 201) and found.pad.low <= found.pad.value
    assert two_sample(a, b, name, splits=2, permutations=200) == found


def test_p_is_uniform_where_nothing_differs():
    p = [two_sample(bars(40, 50, 2 * i), bars(40, 50, 2 * i + 1), splits=2, permutations=99, seed=i).p
         for i in range(40)]
    assert 0.3 < float(np.mean(p)) < 0.75 and float(np.mean(np.array(p) <= 0.1)) <= 0.25


def test_the_logistic_one_measures_as_the_proxy_a_distance_does():
    a, b = bars(200, 40, 0), bars(200, 60, 1)
    ours, theirs = two_sample(a, b, splits=10).pad, proxy_a_distance(a, b)
    assert abs(ours.value - theirs.value) < 0.15


def test_bad_input_is_named():
    a = patterns(0, side=16).images
    with pytest.raises(ValueError, match="unknown discriminator 'tree'; there are logistic and cnn"):
        two_sample(a, a, "tree")
    with pytest.raises(ValueError, match="at least 2 splits and 10 pictures of each set, got 5 splits and 4 pictures"):
        two_sample(a, a[:4])
