"""The divergence against Monte Carlo, the draw and its gradient, the likelihood against a sum over all pictures."""

import itertools

import pytest
import torch

from mlcourse.losses.vae import (Normal, check_binary, kl, log_bernoulli, log_density, reparameterised, standard_like)


def normals(seed, size=3):
    generator = torch.Generator().manual_seed(seed)
    return Normal(*torch.randn(2, size, generator=generator, dtype=torch.float64))


def test_the_divergence_is_that_of_monte_carlo_in_every_dimension():
    q, p = normals(0), normals(1)
    noise = torch.randn(400_000, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    z = reparameterised(Normal(*(part.expand_as(noise) for part in q)), noise)
    drawn = log_density(z, q) - log_density(z, p)
    error = drawn.std(0) / len(drawn) ** 0.5
    assert ((drawn.mean(0) - kl(q, p)).abs() < 4 * error).all()
    wrong_way = kl(p, q)
    assert ((drawn.mean(0) - wrong_way).abs() > 10 * error).all()


def test_against_itself_it_is_zero_and_against_the_standard_normal_the_known_form():
    q = normals(3)
    assert torch.equal(kl(q, q), torch.zeros(3, dtype=torch.float64))
    known = (q.log_var.exp() + q.mean.square() - 1 - q.log_var) / 2
    torch.testing.assert_close(kl(q, standard_like(q)), known)


def test_the_gradient_of_a_draw_reaches_mean_and_spread_as_finite_differences_say():
    q, noise = normals(4), torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64)
    inputs = tuple(part.clone().requires_grad_() for part in q)
    assert torch.autograd.gradcheck(lambda *parts: reparameterised(Normal(*parts), noise), inputs)
    assert torch.autograd.gradcheck(lambda *parts: kl(Normal(*parts), normals(5)), inputs)


def test_the_density_of_draws_is_normal():
    p = normals(6)
    x = torch.tensor([0.3, -0.7, 1.1], dtype=torch.float64)
    torch.testing.assert_close(log_density(x, p), torch.distributions.Normal(p.mean, (p.log_var / 2).exp()).log_prob(x))


def test_the_probabilities_of_all_binary_pictures_sum_to_one_and_grey_ones_are_refused():
    logits = torch.tensor([[[0.3, -2.0], [1.5, 0.1]]], dtype=torch.float64)
    pictures = torch.tensor(list(itertools.product((0.0, 1.0), repeat=4)), dtype=torch.float64).view(16, 1, 2, 2)
    assert float(log_bernoulli(pictures, logits.expand(16, -1, -1, -1)).exp().sum()) == pytest.approx(1)
    check_binary(pictures)
    with pytest.raises(ValueError, match="have grey pixels; binarise them"):
        check_binary(pictures / 2)
