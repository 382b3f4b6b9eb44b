"""Lesson 02's checks accept other right answers, and its broken code fails as the lesson says."""

import pytest
import torch

from mlcourse.exercises import exercise
from mlcourse.exercises.framework import judge
from mlcourse.learners.baselines import ridge
from mlcourse.lessons.l02_transfer.checks import cases, head_net, two_batches
from mlcourse.lessons.l02_transfer.checks_results import KS, curves
from mlcourse.lessons.l02_transfer.toy import toy, toy_batches


def answer_of(id, source):
    namespace = {"torch": torch}
    exec(source, namespace)
    return namespace[exercise(id).answer]


def given(id):
    namespace = {"torch": torch}
    exec(exercise(id).given, namespace)
    return next(value for name, value in namespace.items() if name.endswith("_broken"))


def test_the_head_is_that_of_the_librarys_ridge_regression():
    ridge_head = exercise("02.1").reference()
    for z, y, _ in cases():
        lam = 0.3 * (z - z.mean(0)).square().sum(1).mean()
        for mine, theirs in zip(ridge_head(z, y, lam), ridge(z, y, 0.3), strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("id, source", [
    ("02.1", "def ridge_head(z, y, lam):\n    a, b = z.mean(0, keepdim=True), y.mean(0)\n    z, d = z - a, z.shape[1]\n"
             "    W = torch.linalg.inv(z.T @ z + lam * torch.eye(d).double()) @ z.T @ y\n    return [W, b - (a @ "
             "W)[0]]"),
    ("02.2", "def train_top(net, depth, batches, lr):\n    top, body = net[depth:].train(), net[:depth].eval()\n"
             "    opt = torch.optim.SGD(top.parameters(), lr)\n    for x, y in batches:\n"
             "        with torch.no_grad():\n            z = body(x)\n        opt.zero_grad()\n"
             "        torch.nn.functional.cross_entropy(top(z), y).backward()\n        opt.step()\n    return net"),
    ("02.3", "def crossover(a, b):\n    ks = sorted(a)\n    half = lambda d: 2.776 * d.std() / len(d) ** 0.5\n"
             "    helps = [k for k in ks if (a[k] - b[k]).mean() > half(a[k] - b[k])]\n"
             "    later = [k for k in ks if not helps or k > max(helps)]\n    return torch.tensor(float(min(later, "
             "default='inf')))"),
    ("02.4", "def joint_losses(net, source, target, weight):\n    both = torch.cat([source[0], target[0]])\n"
             "    z, n = net(both).log_softmax(1), len(source[1])\n    loss = torch.nn.functional.nll_loss\n"
             "    a, b = loss(z[:n], source[1]), loss(z[n:], target[1])\n    return [a + weight * (b - a), a.detach(), "
             "b.detach()]"),
])
def test_other_right_answers_pass(id, source):
    result = judge(exercise(id), answer_of(id, source))
    assert result.passed, result.message


def test_the_broken_training_moves_no_weight_of_a_frozen_block_but_its_answers():
    net = toy(0).eval()
    x, weights = toy_batches(0)[0][0], [p.clone() for p in net[0].parameters()]
    before = net[0](x).detach()
    after = given("02.2")(net, 1, toy_batches(0), 0.1).eval()
    assert all(torch.equal(a, b) for a, b in zip(weights, after[0].parameters()))
    assert (after[0](x) - before).abs().max() > 0.1


def test_the_broken_losses_are_one_number_and_the_right_ones_see_their_own_pixels():
    net, (x, y), (xt, yt) = head_net(), *two_batches(6, 9)
    _, one, other = given("02.4")(net, (x, y), (xt, yt), 0.25)
    assert torch.equal(one, other)
    x, xt = x.requires_grad_(), xt.requires_grad_()
    _, one, other = exercise("02.4").reference()(net, (x, y), (xt, yt), 0.25)
    by = [torch.autograd.grad(loss, (x, xt), allow_unused=True) for loss in (one, other)]
    assert by[0][0].any() and by[0][1] is None and by[1][0] is None and by[1][1].any()


def test_the_curves_of_the_crossover_are_what_they_are_made_for():
    crossover = exercise("02.3").reference()
    assert [crossover(*curve) for curve in curves()] == [10, 10, float("inf"), 1, 2, 20, 10, 10]
    sides = [side for curve in curves() for side in curve]
    assert all(sorted(side) == list(KS) and all(len(value) == 5 for value in side.values()) for side in sides)
