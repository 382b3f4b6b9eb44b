"""What the gradients say about a rate, against finite differences and plain loops in float64."""

import pytest
import torch

from mlcourse.datasets.sinusoid import SinusoidSampler
from mlcourse.learners import MetaSGD
from mlcourse.lessons.l05_meta_sgd.signs import (Weight, agreement_at_theta, alive, loss_along, negative_share,
                                                 query_gradient_unmoved, signs, support_gradients)
from mlcourse.losses import task_loss
from mlcourse.nets import MLP, call

TASKS = SinusoidSampler(5, 7).sample(4, torch.Generator().manual_seed(0)).to(torch.float64)


@pytest.fixture
def meta():
    learner = MetaSGD(MLP((1, 5, 5, 1), seed=1), 0.02, 0.2, seed=2).double().requires_grad_(False)
    generator = torch.Generator().manual_seed(3)
    for alpha in learner.alpha.values():
        alpha.mul_(torch.where(torch.rand(alpha.shape, generator=generator) < 0.4, -1.0, 1.0))
    return learner


def query_losses(meta, alpha):
    """The query loss of every task after one step with these rates, one task at a time."""
    losses = []
    for task in map(TASKS.task, range(4)):
        theta = {name: p.detach().clone().requires_grad_() for name, p in meta.theta().items()}
        g = torch.autograd.grad(task_loss(call(meta.net, theta, task.support_x), task.support_y), list(theta.values()))
        phi = {name: p.detach() - alpha[name] * each for (name, p), each in zip(theta.items(), g)}
        losses.append(task_loss(call(meta.net, phi, task.query_x), task.query_y))
    return torch.stack(losses)


def with_rate(meta, weight, rate):
    alpha = {name: a.clone() for name, a in meta.rates().items()}
    alpha[weight.tensor].view(-1)[weight.index] = rate
    return alpha


WEIGHTS = [Weight("body.0.weight", 2), Weight("body.1.weight", 7), Weight("body.1.bias", 1), Weight("head.weight", 3),
           Weight("head.bias", 0)]


@pytest.mark.parametrize("weight", WEIGHTS, ids=lambda w: w.tensor)
def test_the_product_is_minus_the_slope_of_the_loss_at_rate_zero(meta, weight):
    g = support_gradients(meta.net, meta.theta(), TASKS)
    slope = g[weight.tensor].flatten(1)[:, weight.index]
    product = slope * query_gradient_unmoved(meta.net, meta.theta(), meta.rates(), g, weight, TASKS)
    h = 1e-6
    up, down = (query_losses(meta, with_rate(meta, weight, move)) for move in (h, -h))
    torch.testing.assert_close(product, -(up - down) / (2 * h), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("weight", WEIGHTS, ids=lambda w: w.tensor)
def test_the_loss_along_a_rate_is_that_of_one_task_at_a_time(meta, weight):
    g, rates = support_gradients(meta.net, meta.theta(), TASKS), torch.tensor([-0.3, 0.0, 0.1], dtype=torch.float64)
    found = loss_along(meta.net, meta.theta(), meta.rates(), g, weight, rates, TASKS)
    slow = torch.stack([query_losses(meta, with_rate(meta, weight, float(rate))).mean() for rate in rates])
    torch.testing.assert_close(found, slow)


def test_signs_are_of_weights_with_a_gradient_and_their_worth_is_a_difference(meta):
    found = signs(meta.net.float(), *({name: p.float() for name, p in part.items()}
                                      for part in (meta.theta(), meta.rates())), TASKS.to(torch.float32), weights=12)
    assert all(part.shape == (12,) for part in found)
    assert set(found.rate.tolist()) <= {x for a in meta.rates().values() for x in a.float().flatten().tolist()}
    again = signs(meta.net, *({name: p.float() for name, p in part.items()} for part in (meta.theta(), meta.rates())),
                  TASKS.to(torch.float32), weights=12)
    assert torch.equal(found.product, again.product)


def test_agreement_at_theta_is_a_share_of_the_living_weights(meta):
    theta, counted, agreeing = meta.theta(), 0, 0
    gradients = []
    for task in map(TASKS.task, range(4)):
        pair = []
        for x, y in ((task.support_x, task.support_y), (task.query_x, task.query_y)):
            leaves = {name: p.detach().clone().requires_grad_() for name, p in theta.items()}
            g = torch.autograd.grad(task_loss(call(meta.net, leaves, x), y), list(leaves.values()))
            pair.append(torch.cat([each.flatten() for each in g]))
        gradients.append(pair)
    for j in range(len(gradients[0][0])):
        if any(support[j] != 0 for support, _ in gradients):
            counted += 1
            agreeing += sum(support[j] * query[j] for support, query in gradients) > 0
    assert agreement_at_theta(meta.net, theta, TASKS) == pytest.approx(float(agreeing / counted), abs=1e-6)


def test_rates_without_a_gradient_do_not_count_as_negative_or_positive(meta):
    with torch.no_grad():
        meta.net.body[0].bias[1] = -100.0                                         # a unit that never fires
    g = support_gradients(meta.net, meta.theta(), TASKS)
    counted = [(float(rate), any(float(each) for each in slopes))
               for name, alpha in meta.rates().items() for rate, slopes in zip(alpha.flatten(), g[name].flatten(1).T)]
    below = [rate < 0 for rate, at_work in counted if at_work]
    assert 0 < len(below) < len(counted)
    assert negative_share(meta.net, meta.theta(), meta.rates(), TASKS) == pytest.approx(sum(below) / len(below))
    assert not alive(g)["body.0.bias"][1] and alive(g)["head.bias"].all()


@torch.no_grad()
@pytest.mark.parametrize("seed", range(3))
def test_the_products_of_untrained_networks_are_positive_too_though_on_a_task_signs_often_disagree(seed):
    net, tasks = MLP(seed=seed), SinusoidSampler(10, 100).sample(200, torch.Generator().manual_seed(1))
    theta = dict(net.named_parameters())
    assert agreement_at_theta(net, theta, tasks) > 0.98
    swapped = tasks._replace(support_x=tasks.query_x, support_y=tasks.query_y)
    support, query = (support_gradients(net, theta, each) for each in (tasks, swapped))
    products = torch.cat([(support[name] * query[name]).flatten() for name in theta])
    assert 0.7 < float((products[products != 0] > 0).float().mean()) < 0.9
