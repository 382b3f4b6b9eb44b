"""The measures of made pictures on pictures whose answer is known."""

import pytest
import torch

from mlcourse.generators.judged import apart, class_means, distances, memorised, nearest, recognised

FLAT = lambda x: x.flatten(1)


def classes(count=4, each=3, spread=0.01, seed=0):
    """Pictures of classes far apart: (C, K, 1, 4, 4)."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.arange(count).view(-1, 1, 1, 1, 1) + spread * torch.randn(count, each, 1, 4, 4, generator=generator))


def test_pictures_of_their_class_are_recognised_and_those_of_the_next_are_not():
    known, own = class_means(FLAT, classes(seed=0)), classes(seed=1)
    generator = torch.Generator().manual_seed(0)
    assert recognised(distances(FLAT, own, known), 4, generator) == 1
    assert recognised(distances(FLAT, own.roll(1, 0), known), 4, generator) == 0
    half = torch.cat([own, own.roll(1, 0)], 1)
    assert recognised(distances(FLAT, half, known), 4, generator) == 0.5
    assert 0.5 < recognised(distances(FLAT, half, known), 2, generator) < 1


def test_distances_between_pictures():
    zero, one = torch.zeros(1, 2, 1, 4, 4), torch.ones(1, 1, 1, 4, 4)
    assert torch.equal(nearest(one, torch.cat([zero, one], 1)), torch.zeros(1, 1))
    assert torch.equal(nearest(one, zero), torch.full((1, 1), 4.0))
    assert apart(zero) == 0 and apart(torch.cat([zero[:, :1], one], 1)) == pytest.approx(4)


def test_copies_of_what_was_trained_on_are_nearer_to_it_than_to_what_was_held_out():
    trained, held_out, fresh = (classes(each=5, spread=0.3, seed=seed) for seed in range(3))
    near, far = memorised(trained[:, :2], trained, held_out)
    assert near == pytest.approx(0, abs=1e-3) and far > 0.5
    near, far = memorised(fresh, trained, held_out)
    assert near == pytest.approx(far, rel=0.1)
    with pytest.raises(ValueError, match="as many drawings of both kinds"):
        memorised(fresh, trained, held_out[:, :2])
