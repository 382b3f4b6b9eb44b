"""The set VAE: its bound against a second writing of it, its code of a set, and whose prior a sample comes from."""

import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from mlcourse.losses.vae import Normal as Ours
from mlcourse.nets.set_vae import SetVAE


def small(seed=0):
    return SetVAE(8, 2, 3, 8, 4, seed).double()


def sets(count=2, size=5, seed=1):
    x = torch.rand(count, size, 1, 8, 8, generator=torch.Generator().manual_seed(seed)) > 0.6
    return x.double()


def noise(net, count, size, seed=2):
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(count, net.c, generator=generator).double(),
            torch.randn(count, size, net.z, generator=generator).double())


def normal(ours, i=...):
    return Normal(ours.mean[i], (ours.log_var[i] / 2).exp())


def test_the_bound_is_that_of_one_set_and_one_picture_after_another():
    net, x = small(), sets()
    noise_c, noise_z = noise(net, 2, 5)
    for i, bound in enumerate(net.bound(x, noise_c, noise_z).value):
        q_c = normal(net.context(net.embed(x[i:i + 1])), 0)
        c = q_c.mean + q_c.stddev * noise_c[i]
        expected = -kl_divergence(q_c, Normal(torch.zeros_like(c), torch.ones_like(c))).sum()
        prior = normal(net.prior(c))
        for j in range(5):
            one = x[i, j][None, None]
            q_z = normal(net.posterior(net.embed(one), c[None]), (0, 0))
            z = q_z.mean + q_z.stddev * noise_z[i, j]
            logits = net.decode(z[None, None], c[None])[0, 0]
            expected = expected + Bernoulli(logits=logits).log_prob(x[i, j]).sum() - kl_divergence(q_z, prior).sum()
        torch.testing.assert_close(bound, expected)


def test_the_gradient_of_the_bound_is_that_of_finite_differences_in_every_network():
    net, x = small(), sets(1, 2)
    draws = noise(net, 1, 2)
    for name, p in net.named_parameters():
        direction = torch.randn(p.shape, generator=torch.Generator().manual_seed(3)).double()
        gradient, = torch.autograd.grad(net.bound(x, *draws).value.sum(), p)
        ends = []
        for step in (1e-6, -1e-6):
            with torch.no_grad():
                p.add_(step * direction)
                ends.append(net.bound(x, *draws).value.sum())
                p.sub_(step * direction)
        slope = float(ends[0] - ends[1]) / 2e-6
        assert float((gradient * direction).sum()) == pytest.approx(slope, rel=1e-4, abs=1e-6), name


def test_the_code_of_a_set_does_not_depend_on_its_order_and_a_set_may_be_one_picture():
    net, x = small(), sets(1)
    one, other = net.context(net.embed(x)), net.context(net.embed(x[:, [3, 1, 4, 0, 2]]))
    torch.testing.assert_close(one.mean, other.mean)
    torch.testing.assert_close(one.log_var, other.log_var)
    assert net.context(net.embed(x[:, :1])).mean.shape == (1, net.c)
    assert not torch.allclose(net.context(net.embed(x[:, :1])).mean, one.mean)


class Watched(SetVAE):
    """Priors far apart, and the z that is decoded."""

    def prior(self, c):
        where = torch.arange(len(c), dtype=c.dtype)[:, None] * 100
        return Ours(where.expand(-1, self.z), torch.zeros(len(c), self.z, dtype=c.dtype))

    def decode(self, z, c):
        self.z_of, self.c_of = z, c
        return super().decode(z, c)


def test_every_sample_comes_from_the_prior_of_its_own_set():
    """Repeating priors picture by picture and reading them set by set gives a set's pictures the z of others."""
    net = Watched(8, 2, 3, 8, 4).double()
    made = net.sample(sets(), *noise(net, 2, 4))
    assert made.shape == (2, 4, 1, 8, 8)
    assert (net.z_of[0].abs() < 10).all() and ((net.z_of[1] - 100).abs() < 10).all()
    alone = net.decode(net.z_of[1:], net.c_of[1:]).sigmoid()
    torch.testing.assert_close(made[1:], alone)


def test_a_side_that_cannot_be_halved_twice_is_refused():
    with pytest.raises(ValueError, match="must be divisible by 4, got 10"):
        SetVAE(10)
