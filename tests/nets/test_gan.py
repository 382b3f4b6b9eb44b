"""The networks and losses of the GAN, against closed forms and slow loops."""

import pytest
import torch
import torch.nn.functional as F

from mlcourse.losses.gan import (AUGMENTED, CAP, content, feature_matching, hinge_discriminator, hinge_generator,
                                 mode_seeking, shift_and_cut)
from mlcourse.nets.gan import NOISE, Discriminator, Redrawing, Spectral


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def pictures(count=3, side=16, seed=0):
    return torch.rand(count, 1, side, side, generator=torch.Generator().manual_seed(seed))


def test_an_untrained_generator_gives_back_the_picture():
    x = pictures()
    torch.testing.assert_close(Redrawing()(x, noise(3, NOISE)), x, atol=1e-6, rtol=0)


def test_a_generator_stays_in_range_uses_its_noise_and_repeats():
    generator, x, z = Redrawing(seed=1), pictures(), noise(3, NOISE)
    torch.nn.init.normal_(generator.out.weight, std=0.5, generator=torch.Generator().manual_seed(0))
    drawn = generator(x, z)
    assert drawn.shape == x.shape and drawn.min() >= 0 and drawn.max() <= 1
    assert torch.equal(drawn, generator(x, z)) and not torch.allclose(drawn, generator(x, z.flip(0)))
    assert Redrawing(seed=1).down[0].conv.weight.equal(generator.down[0].conv.weight)
    exact, x, z = generator.double(), x.double(), z.double()
    torch.testing.assert_close(exact(x[:1], z[:1]), exact(x, z)[:1])          # no picture sees another


def test_the_gradient_passes_the_clip():
    """All pixels cut off at 0: the picture is black, and its gradient is not."""
    generator = Redrawing()
    torch.nn.init.constant_(generator.out.bias, -2.0)
    drawn = generator(pictures(), noise(3, NOISE))
    assert float(drawn.detach().abs().max()) == 0
    drawn.sum().backward()
    assert float(generator.out.bias.grad[0]) == pytest.approx(3 * 16 * 16)


def test_a_step_moves_the_picture():
    """One pixel to the right is 2/16 of the side in the places of grid_sample."""
    generator, x = Redrawing(), pictures()
    with torch.no_grad():
        generator.out.bias[1] = 2 / 16
    drawn = generator(x, noise(3, NOISE)).detach()
    torch.testing.assert_close(drawn[..., :-1], x[..., 1:], atol=1e-5, rtol=0)
    assert float(drawn[..., -1].abs().max()) < 1e-5


def test_spectral_norm_against_the_singular_values():
    layer = Spectral((6, 3, 4, 4)).double()
    for _ in range(500):
        layer.iterate()
    weight = layer.weight.flatten(1)
    torch.testing.assert_close(layer.normalised(), layer.weight / torch.linalg.matrix_norm(weight, 2))
    assert float(torch.linalg.svdvals(layer.normalised().detach().flatten(1))[0]) == pytest.approx(1)
    with torch.no_grad():
        layer.weight.copy_(torch.diag(torch.tensor([3.0, 2, 1, 1, 1, 1, ])).repeat(1, 8).view(6, 3, 4, 4))
    for _ in range(100):
        layer.iterate()
    torch.testing.assert_close(layer.normalised(), layer.weight / (3 * 8 ** 0.5))     # a closed form


def test_spectral_norm_is_differentiated_through():
    """The normalised weight has no gradient along itself: scaling W changes nothing."""
    layer = Spectral((4, 5)).double()
    for _ in range(500):
        layer.iterate()
    (layer.normalised() * noise(4, 5).double()).sum().backward()
    assert float((layer.weight.grad * layer.weight.detach()).sum()) == pytest.approx(0, abs=1e-8)


def test_a_discriminator_stretches_little_and_forward_changes_nothing():
    judge = Discriminator(16, seed=2)
    for _ in range(100):
        judge.iterate()
    before = {name: t.clone() for name, t in judge.state_dict().items()}
    a, b = pictures(20), pictures(20, seed=1)
    apart = (judge(a) - judge(b)).abs() / (a - b).flatten(1).norm(dim=1)
    bound = 2 ** 3 * float(judge.head.weight.detach().norm())      # stride 2, window 4: a pixel is seen 4 times
    assert judge(a).shape == (20,) and float(apart.max()) <= bound * (1 + 1e-4)
    assert all(torch.equal(t, before[name]) for name, t in judge.state_dict().items())
    assert torch.allclose(judge(a)[:1], judge(a[:1]), atol=1e-6)


def test_hinge_losses_in_closed_form():
    real, fake = torch.tensor([2.0, 0.5, -1.0]), torch.tensor([-3.0, 0.0])
    assert float(hinge_discriminator(real, fake)) == pytest.approx((0 + 0.5 + 2) / 3 + (0 + 1) / 2)
    assert float(hinge_discriminator(torch.full((4,), 1.5), torch.full((4,), -1.5))) == 0
    assert float(hinge_generator(fake)) == pytest.approx(1.5)


def test_content_against_a_loop():
    x, drawn = pictures(), pictures(seed=1)
    cell = lambda pictures, m, i, j: pictures[m, 0, 4 * i:4 * i + 4, 4 * j:4 * j + 4].mean()
    slow = [abs(float(cell(x, m, i, j) - cell(drawn, m, i, j)))
            for m in range(3) for i in range(4) for j in range(4)]
    assert float(content(drawn, x)) == pytest.approx(sum(slow) / len(slow), abs=1e-6)


def test_mode_seeking_against_a_loop_with_its_cap():
    a, b, z1, z2 = pictures(), pictures(seed=1), noise(3, NOISE), noise(3, NOISE, seed=1)
    slow = [min(CAP, float((a[m] - b[m]).abs().sum() / (z1[m] - z2[m]).abs().sum())) for m in range(3)]
    assert float(mode_seeking(a, b, z1, z2)) == pytest.approx(sum(slow) / 3)
    assert float(mode_seeking(a, a, z1, z2)) == 0
    near = 0.01 * b + 0.99 * a
    assert 0 < float(mode_seeking(a, near, z1, z2)) < CAP


def test_feature_matching_compares_the_means_of_each_layer():
    real, fake = [torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.ones(2, 1, 2)], [torch.tensor([[-1.0, 7.0]]), torch.ones(3, 1, 2)]
    torch.testing.assert_close(feature_matching(real, fake), torch.tensor(5.0), rtol=0, atol=2e-4)    # |(2, 3) - (-1, 7)|
    assert float(feature_matching(real, [h.roll(1, 0) for h in real])) < 3e-4


def test_the_last_feature_of_a_discriminator_is_its_score():
    d, x = Discriminator(), pictures(5)
    *layers, scores = d.features(x)
    assert [h.shape[1:] for h in layers] == [(32, 8, 8), (64, 4, 4), (128, 2, 2)] and torch.equal(scores, d(x))


def test_a_share_of_the_pictures_is_shifted_and_cut_and_the_others_stay():
    x = pictures(1).expand(2000, -1, -1, -1)
    u = 2 * torch.rand(2000, 5, generator=torch.Generator().manual_seed(1)) - 1
    seen = shift_and_cut(x, u)
    chosen = u[:, 4] < 2 * AUGMENTED - 1
    assert abs(float(chosen.float().mean()) - AUGMENTED) < 0.03
    assert torch.equal(seen[~chosen], x[~chosen])
    assert torch.equal(seen[chosen], shift_and_cut(x, u, 1.0)[chosen]) and torch.equal(shift_and_cut(x, u, 0.0), x)


def test_shift_and_cut_moves_whole_pixels_and_blanks_a_square():
    x = pictures(1).expand(200, -1, -1, -1)
    u = 2 * torch.rand(200, 5, generator=torch.Generator().manual_seed(0)) - 1
    seen = shift_and_cut(x, u, 1.0)
    for m in range(200):
        down, right = (int(v) for v in (u[m, :2] * 2.5).round().clamp(-2, 2))
        moved = F.pad(x[m], (2, 2, 2, 2))[..., 2 + down:18 + down, 2 + right:18 + right]
        kept = seen[m] != 0
        assert torch.equal(seen[m][kept], moved[kept])
        cut = (moved != 0) & ~kept
        assert int(cut.sum()) <= 16
    assert len(torch.unique((u[:, 0] * 2.5).round())) == 5
    middle = shift_and_cut(x[:1], torch.zeros(1, 5), 1.0)
    assert float(middle[..., 6:10, 6:10].abs().max()) == 0 and torch.equal(middle[..., :6, :], x[:1, :, :6])


def test_shift_and_cut_is_differentiable_in_the_picture():
    x = pictures(4).double().requires_grad_()
    u = 2 * torch.rand(4, 5, generator=torch.Generator().manual_seed(3)) - 1
    seen = shift_and_cut(x, u, 1.0)
    seen.sum().backward()
    assert set(x.grad.unique().tolist()) == {0.0, 1.0} and int(x.grad.sum()) == int((seen != 0).sum())
