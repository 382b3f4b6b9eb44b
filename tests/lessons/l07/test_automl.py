"""The rate that descends its own gradient, and the mixed operation, against finite differences."""

import pytest
import torch
from torch import nn

from mlcourse.lessons.l07_optimiser.automl import MixedOperation, hypergradient_descent, search
from mlcourse.optimisers import momentum, of_condition, random_quadratics


def quadratics(count=3):
    f, theta = random_quadratics(count, torch.Generator().manual_seed(0), 4)
    return f.to(torch.float64), theta.double()


def test_the_gradient_of_the_loss_in_the_rate_is_minus_the_product_of_two_gradients():
    """The change of the rate before the second step is -β times the slope of the loss after the first."""
    f, theta = quadratics()
    rate, beta, eps = 0.01, 1e-4, 1e-6
    _, rates = hypergradient_descent(f, theta, rate, beta, 2)
    after = lambda alpha: hypergradient_descent(f, theta, alpha, 0.0, 1)[0][1]
    slope = (after(rate + eps) - after(rate - eps)) / (2 * eps)
    torch.testing.assert_close(rates[1] - rates[0], -beta * slope, rtol=1e-6, atol=1e-12)
    assert torch.equal(rates[0], torch.full_like(rates[0], rate))


def test_without_beta_it_is_plain_descent_and_each_function_has_its_own_rate():
    f, theta = quadratics()
    losses, rates = hypergradient_descent(f, theta, 0.01, 0.0, 5)
    torch.testing.assert_close(losses, momentum(f, theta, [0.01] * 5))
    assert torch.equal(rates, torch.full_like(rates, 0.01))
    own = hypergradient_descent(f, theta, 0.01, 1e-5, 5)[1]
    alone = hypergradient_descent(type(f)(f.w[1:2], f.y[1:2]), theta[1:2], 0.01, 1e-5, 5)[1]
    torch.testing.assert_close(own[:, 1:2], alone)
    assert len(own[-1].unique()) == 3


def test_a_rate_that_is_far_too_small_grows_and_the_loss_ends_lower():
    f, theta = of_condition(10.0, 50, torch.Generator().manual_seed(1))
    plain, moved = (hypergradient_descent(f, theta, 1e-4, beta, 100) for beta in (0.0, 1e-7))
    assert (moved[1][-1] > 10 * moved[1][0]).all() and (moved[0][-1] < 0.1 * plain[0][-1]).all()


OPERATIONS = [lambda x: x, torch.relu, torch.tanh, torch.square]


def test_a_mixed_operation_is_the_weighted_sum_and_its_gradient_in_alpha_the_finite_difference():
    mixed = MixedOperation([nn.Linear(1, 1), torch.relu, torch.tanh]).double()
    mixed.alpha.data = torch.tensor([0.3, -0.2, 0.7]).double()
    assert len(list(mixed.parameters())) == 3
    x = torch.randn(6, 1, generator=torch.Generator().manual_seed(1)).double()
    share = mixed.alpha.detach().exp() / mixed.alpha.detach().exp().sum()
    torch.testing.assert_close(mixed(x), sum(s * o(x) for s, o in zip(share, mixed.operations)))
    mixed(x).square().sum().backward()
    for k in range(3):
        values = []
        for step in (1e-6, -2e-6):
            mixed.alpha.data[k] += step
            values.append(mixed(x).square().sum().item())
        mixed.alpha.data[k] += 1e-6
        assert mixed.alpha.grad[k].item() == pytest.approx((values[0] - values[1]) / 2e-6, rel=1e-5)


def data(seed=0):
    """A net with a mixed operation before a linear layer, x, and y = 1.5 relu(x) - 0.5."""
    torch.manual_seed(seed)
    x = torch.linspace(-2, 2, 40)[:, None]
    return nn.Sequential(MixedOperation(OPERATIONS), nn.Linear(1, 1)), x, 1.5 * torch.relu(x) - 0.5


@pytest.mark.parametrize("seed", range(3))
def test_the_search_finds_the_operation_that_made_the_data(seed):
    net, x, y = data(seed)
    shares = search(net, net[0].alpha, (x[::2], y[::2]), (x[1::2], y[1::2]), 300)
    assert shares.shape == (300, 4) and shares[-1][1] > 0.8


def test_alpha_sees_the_validation_data_alone_and_the_weights_the_training_data_alone():
    def after(operations, train, val):
        torch.manual_seed(0)
        net = nn.Sequential(MixedOperation(operations), nn.Linear(1, 1))
        search(net, net[0].alpha, train, val, 1)
        return net[0].alpha.detach(), net[1].weight.detach()

    _, x, y = data()
    one, other = (x, y), (x, -y)
    assert torch.equal(after(OPERATIONS, one, one)[0], after(OPERATIONS, other, one)[0])
    assert not torch.equal(after(OPERATIONS, one, one)[0], after(OPERATIONS, one, other)[0])
    alone = OPERATIONS[:1]                              # one operation has the whole share, whatever its α
    assert torch.equal(after(alone, one, one)[1], after(alone, one, other)[1])
    assert not torch.equal(after(alone, one, one)[1], after(alone, other, one)[1])
