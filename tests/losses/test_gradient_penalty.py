"""The gradient penalty takes one norm a picture, over all its axes."""

import pytest
import torch

from mlcourse.losses.gan import gradient_penalty


def test_of_a_linear_critic_it_is_the_squared_distance_of_its_norm_from_one():
    generator = torch.Generator().manual_seed(0)
    a, x = torch.randn(2, 3, 4, generator=generator), torch.randn(5, 2, 3, 4, generator=generator)
    penalty = gradient_penalty(lambda x: (a * x).sum((1, 2, 3)), x)
    assert float(penalty) == pytest.approx((float(a.norm()) - 1) ** 2, rel=1e-5)


def test_its_gradient_reaches_the_critic():
    a = torch.tensor([[[3.0, 4.0]]], requires_grad=True)
    gradient_penalty(lambda x: (a * x).sum((1, 2, 3)), torch.ones(2, 1, 1, 2)).backward()
    torch.testing.assert_close(a.grad, 2 * (5 - 1) * torch.tensor([[[0.6, 0.8]]]))
