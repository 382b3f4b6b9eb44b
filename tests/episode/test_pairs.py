"""Samplers of pairs and of single pictures."""

import pytest
import torch

from mlcourse.episode.pairs import PairSampler, PictureSampler
from tiny import patterns

ROWS = torch.arange(40)
LABELS = torch.arange(8).repeat_interleave(5)


def sampler(**settings):
    """Sides whose values are the row and minus the row, so that a test sees what was drawn."""
    return PairSampler(ROWS[:, None].float(), -ROWS[:, None].float(), LABELS, **{"way": 6, **settings})


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("same", [False, True])
@pytest.mark.parametrize("shot", [1, 2])
def test_both_sides_show_the_same_classes_in_the_same_order(shot, same):
    batch = sampler(shot=shot, same=same).sample(50, generator())
    assert batch.support_x.shape == batch.query_x.shape == (50, 6 * shot, 1)
    rows, others = batch.support_x[..., 0].long(), -batch.query_x[..., 0].long()
    assert torch.equal(LABELS[rows], batch.classes.gather(1, batch.support_y))
    assert torch.equal(LABELS[others], batch.classes.gather(1, batch.query_y))
    shared = (rows[:, :, None] == others[:, None]).any(2)
    assert shared.all() if same else not shared.any()
    assert all(len(set(row)) == 6 for row in batch.classes.tolist())


def test_the_same_generator_gives_the_same_pairs_and_every_row_is_drawn():
    one, two = (sampler().sample(100, generator()) for _ in range(2))
    assert torch.equal(one.support_x, two.support_x) and torch.equal(one.query_x, two.query_x)
    assert set(one.support_x.flatten().int().tolist()) == set(ROWS.tolist())


def test_bytes_become_floats_and_modalities_keep_their_shapes():
    images, paths = torch.full((40, 1, 6, 6), 255, dtype=torch.uint8), torch.rand(40, 64, 3)
    batch = PairSampler(images, paths, LABELS, way=4).sample(2, generator())
    assert batch.support_x.shape == (2, 4, 1, 6, 6) and batch.support_x.unique().tolist() == [1.0]
    assert batch.query_x.shape == (2, 4, 64, 3) and batch.unlabeled_x.shape == (2, 0, 1, 6, 6)


def test_pairs_that_cannot_be_drawn_are_told():
    with pytest.raises(ValueError, match="one row for each drawing, got 40, 39 and 40"):
        PairSampler(ROWS, ROWS[1:], LABELS, 4)
    with pytest.raises(ValueError, match="way must lie between 2 and 8, the number of classes, got 9"):
        sampler(way=9)
    with pytest.raises(ValueError, match="shot 3 needs 6 drawings of every class, but one has 5"):
        sampler(shot=3)
    with pytest.raises(ValueError, match="at least 1"):
        sampler(shot=0)


def test_single_pictures_are_classes_of_their_own_drawn_regardless_of_class():
    domain = patterns()
    batch = PictureSampler(domain, 30).sample(20, generator())
    assert batch.way == 30 and batch.support_x.shape == (20, 30, 1, 16, 16) and batch.query_x.shape[1] == 0
    assert all(sorted(y) == list(range(30)) for y in batch.support_y.tolist())
    torch.testing.assert_close(batch.support_x[3, 7], domain.images[batch.classes[3, 7]].float() / 255)
    counts = torch.bincount(domain.labels[batch.classes].flatten(), minlength=8)
    assert counts.min() > 0 and len(counts.unique()) > 1
    with pytest.raises(ValueError, match="count must lie between 2 and 96, the pictures of patterns 0, got 1"):
        PictureSampler(domain, 1)
