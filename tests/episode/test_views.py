"""Views of pictures: their randomness is a tensor, they repeat, and they leave the character recognisable."""

import pytest
import torch

from mlcourse.datasets import load_splits
from mlcourse.episode.views import DRAWS, draws, two_views, view


@pytest.fixture(scope="module")
def pictures():
    return load_splits("glyphs").val.images[::40].float() / 255


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_the_same_draws_give_the_same_view_and_others_another(pictures):
    u = draws(len(pictures), generator())
    assert u.shape == (len(pictures), DRAWS) and u.abs().max() <= 1
    assert torch.equal(view(pictures, u), view(pictures, u))
    first, second = two_views(pictures, generator())
    assert torch.equal(first, view(pictures, draws(len(pictures), generator())))
    assert ((first - second).abs().amax((1, 2, 3)) > 0.2).all()


def test_each_picture_has_its_own_draws(pictures):
    u = draws(len(pictures), generator())
    together, alone = view(pictures, u), torch.cat([view(x[None], d[None]) for x, d in zip(pictures, u)])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-5)


def test_strength_0_gives_the_pictures_back_and_strength_grows_the_change(pictures):
    u = draws(len(pictures), generator())
    assert torch.equal(view(pictures, u, 0), pictures)
    change = [float((view(pictures, u, s) - pictures).square().mean()) for s in (0.1, 0.5, 1.0)]
    assert change[0] < change[1] < change[2]


def test_views_stay_in_range_and_keep_most_ink(pictures):
    seen = view(pictures, draws(len(pictures), generator()))
    assert seen.shape == pictures.shape and seen.min() >= 0 and seen.max() <= 1 + 1e-6
    ink = seen.sum((1, 2, 3)) / pictures.sum((1, 2, 3))
    assert float(ink.median()) == pytest.approx(1, abs=0.3) and ink.min() > 0.1


def test_a_view_is_nearer_to_its_own_picture_than_to_most_others(pictures):
    seen = view(pictures, draws(len(pictures), generator()), 0.5)
    distance = torch.cdist(seen.flatten(1), pictures.flatten(1))
    rank = (distance < distance.diagonal()[:, None]).sum(1).float()
    assert rank.mean() < len(pictures) / 5     # chance: half of them


def test_a_view_is_differentiable_and_passes_through_vmap(pictures):
    x = pictures[:4].double().requires_grad_()
    u = draws(4, generator(), torch.float64)
    gradient, = torch.autograd.grad(view(x, u).square().sum(), x)
    assert torch.isfinite(gradient).all() and gradient.abs().max() > 0
    x = pictures[:4].view(2, 2, 1, 28, 28)
    both = torch.vmap(view)(x, u.float().view(2, 2, -1))
    torch.testing.assert_close(both.flatten(0, 1), view(pictures[:4], u.float()))


def test_what_does_not_fit_is_told(pictures):
    with pytest.raises(ValueError, match="strength of a view must lie between 0 and 2, got 3"):
        view(pictures, draws(len(pictures), generator()), 3)
    with pytest.raises(ValueError, match=r"need draws of shape .* got \(1, 42\)"):
        view(pictures, draws(1, generator()))
