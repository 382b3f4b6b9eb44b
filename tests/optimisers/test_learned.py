"""The learned optimiser against one function and one coordinate at a time, and against mistakes that people make."""

import math

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from mlcourse.nets.lstm import LSTMCell
from mlcourse.optimisers import LearnedOptimiser, log_and_sign, meta_train, random_quadratics, run, unroll


def functions(count=3, size=4, seed=0):
    """Quadratics and their starts in float64."""
    f, theta = random_quadratics(count, torch.Generator().manual_seed(seed), size)
    return f.to(torch.float64), theta.double()


def small(**settings):
    return LearnedOptimiser(**{"hidden": 5, "scale": 0.05, **settings}).double()


def torchs_cells(optimiser):
    """The same cells as torch's own."""
    found = []
    for cell in optimiser.cells:
        inputs = cell.weight.shape[1] - cell.hidden
        own = nn.LSTMCell(inputs, cell.hidden).double()
        own.load_state_dict({"weight_ih": cell.weight[:, :inputs], "weight_hh": cell.weight[:, inputs:],
                             "bias_ih": cell.bias, "bias_hh": torch.zeros_like(cell.bias)})
        found.append(own)
    return found


def slow(optimiser, w, y, theta, steps, states=None):
    """One function: losses, θ and states after `steps`, coordinate after coordinate, gradients as constants."""
    cells, theta = torchs_cells(optimiser), list(theta)
    states = states or [[None] * len(cells) for _ in theta]
    losses = []
    for _ in range(steps):
        g = 2 * w.T @ (w @ torch.stack(theta).detach() - y)
        for d in range(len(theta)):
            large = abs(g[d]) >= math.exp(-10)
            x = torch.stack([g[d].abs().log() / 10, g[d].sign()] if large
                            else [torch.tensor(-1.0).double(), math.exp(10) * g[d]])[None]
            for n, cell in enumerate(cells):
                states[d][n] = cell(x, states[d][n])
                x = states[d][n][0]
            theta[d] = theta[d] + optimiser.scale * (x[0] * optimiser.out).sum()
        losses.append((w @ torch.stack(theta) - y).square().sum())
    return torch.stack(losses), torch.stack(theta), states


def test_a_batch_of_functions_equals_a_loop_over_functions_and_coordinates():
    optimiser, (f, theta) = small(), functions()
    fast = unroll(optimiser, f, theta, optimiser.start(theta), 6)
    each = [slow(optimiser, f.w[i], f.y[i], theta[i], 6) for i in range(3)]
    torch.testing.assert_close(fast.losses, torch.stack([losses for losses, _, _ in each], 1))
    torch.testing.assert_close(fast.theta, torch.stack([end for _, end, _ in each]))
    torch.testing.assert_close(run(optimiser, f, theta, 6), torch.cat([f(theta)[None], fast.losses.detach()]))


def test_the_cell_is_torchs():
    cell = LSTMCell(3, 4, seed=2).double()
    inputs, (h, c) = torch.randn(5, 2, 3).double(), cell.start(torch.zeros(2, 3).double())
    own, state = torchs_cells(type("Both", (), {"cells": [cell]}))[0], None
    for x in inputs:
        h, c = cell(x, (h, c))
        state = own(x, state)
    torch.testing.assert_close((h, c), state)


def meta_gradient(optimiser, f, theta, order, steps=8, count=slice(None)):
    loss = unroll(optimiser, f, theta, optimiser.start(theta), steps, order).losses[count].sum(0).mean()
    return loss, torch.autograd.grad(loss, list(optimiser.parameters()))


def central_difference(optimiser, loss, eps=1e-6):
    """The slope of loss() along a fixed direction of φ, and that direction."""
    generator, parameters = torch.Generator().manual_seed(3), list(optimiser.parameters())
    along = [torch.randn(p.shape, generator=generator, dtype=p.dtype) for p in parameters]
    values = []
    for step in (eps, -2 * eps, eps):
        with torch.no_grad():
            for p, u in zip(parameters, along):
                p.add_(u, alpha=step)
        values.append(loss().item())
    return (values[0] - values[1]) / (2 * eps), along


def test_in_second_order_the_meta_gradient_is_the_finite_difference_and_in_first_order_it_is_not():
    optimiser, (f, theta) = small(), functions()
    wanted, along = central_difference(optimiser, lambda: meta_gradient(optimiser, f, theta, 1)[0])
    slope = {order: float(sum((g * u).sum() for g, u in zip(meta_gradient(optimiser, f, theta, order)[1], along)))
             for order in (1, 2)}
    assert slope[2] == pytest.approx(wanted, rel=1e-6)
    assert abs(slope[1] - wanted) > 1e-3 * abs(wanted)


def test_the_first_order_meta_gradient_is_that_of_the_slow_version_and_sums_over_all_steps():
    optimiser, (f, theta) = small(), functions()
    slow_loss = sum(slow(optimiser, f.w[i], f.y[i], theta[i], 8)[0].sum() for i in range(3)) / 3
    loss, gradients = meta_gradient(optimiser, f, theta, 1)
    assert loss.item() == pytest.approx(slow_loss.item())
    slow_gradients = torch.autograd.grad(slow_loss, [optimiser.out])
    torch.testing.assert_close(gradients[-1] if gradients[-1].shape == optimiser.out.shape else gradients[0],
                               slow_gradients[0])
    last = meta_gradient(optimiser, f, theta, 1, count=slice(-1, None))[1]
    cosine = sum((a * b).sum() for a, b in zip(last, gradients)) / math.sqrt(
        sum((a * a).sum() for a in last) * sum((b * b).sum() for b in gradients))
    assert cosine < 0.999                                            # the last step alone is another objective


class Forgotten(LearnedOptimiser):
    """The mistake: cells in a plain list, which `parameters()` does not see."""

    def __init__(self, **settings):
        super().__init__(**settings)
        cells = list(self.cells)
        del self.cells
        self.cells = cells


@pytest.mark.parametrize("kind, trains", [(LearnedOptimiser, True), (Forgotten, False)])
def test_every_weight_of_every_cell_moves_in_one_meta_step(kind, trains):
    optimiser = kind(hidden=5)
    weights = [p for cell in optimiser.cells for p in (cell.weight, cell.bias)]
    before = [p.clone() for p in weights]
    next(meta_train(optimiser, lambda generator: random_quadratics(4, generator), 1))
    assert all(bool((p != old).any()) == trains for p, old in zip(weights, before))


class Counting(TorchDispatchMode):
    """How many operations torch computes in this block."""

    count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.count += 1
        return function(*args, **(kwargs or {}))


def work(meta_step, steps):
    optimiser, (f, theta) = small(), functions()
    with Counting() as counted:
        meta_step(optimiser, f, theta, steps)
    return counted.count


def backward_after_every_step(optimiser, f, theta, steps):
    """The mistake: each loss differentiated as soon as it is there, through all that was before it."""
    state, theta = optimiser.start(theta), theta.requires_grad_()
    for _ in range(steps):
        stretch = unroll(optimiser, f, theta, state, 1)
        theta, state = stretch.theta, stretch.state
        stretch.losses.sum().backward(retain_graph=True)


def test_the_work_of_a_meta_step_is_linear_in_the_unroll():
    meta_step = lambda *args: meta_gradient(*args[:3], 1, steps=args[3])
    five, ten, twenty = (work(meta_step, steps) for steps in (5, 10, 20))
    assert twenty - ten == 2 * (ten - five)
    five, ten, twenty = (work(backward_after_every_step, steps) for steps in (5, 10, 20))
    assert twenty - ten > 3 * (ten - five)


def test_at_a_truncation_state_and_iterate_are_carried_on_and_no_gradient_crosses():
    """With a rate of nothing the stretches together are one run; the gradient of the second is that from its start."""
    optimiser, (f, theta) = small(), functions()
    straight = run(optimiser, f, theta, 15)[1:].mean(1)
    stretches = meta_train(optimiser, lambda generator: (f, theta), 1, steps=15, stretch=5, lr=1e-300)
    first, second = next(stretches), next(stretches)
    assert (first, second) == pytest.approx((float(straight[:5].mean()), float(straight[5:10].mean())))
    found = [p.grad.clone() for p in optimiser.parameters()]
    assert next(stretches) == pytest.approx(float(straight[10:].mean()))
    start = unroll(optimiser, f, theta, optimiser.start(theta), 5)
    gradient = lambda theta, state: torch.autograd.grad(
        unroll(optimiser, f, theta, state, 5).losses.sum(0).mean(), list(optimiser.parameters()))
    for own, wanted, through, fresh in zip(found, gradient(*start.detached()), gradient(start.theta, start.state),
                                           gradient(start.theta.detach(), optimiser.start(theta))):
        torch.testing.assert_close(own, wanted)
        assert not torch.allclose(own, through, rtol=1e-3) and not torch.allclose(own, fresh, rtol=1e-3)


def test_log_and_sign_is_continuous_in_its_logarithm_and_has_no_upper_bound():
    edge = math.exp(-10)
    inside, outside = log_and_sign(torch.tensor([edge * (1 - 1e-9), edge * (1 + 1e-9)], dtype=torch.float64))
    torch.testing.assert_close(inside, outside)
    torch.testing.assert_close(inside, torch.tensor([-1.0, 1.0], dtype=torch.float64))
    g = torch.tensor([1e30, -math.e, 1.0, -0.5 * edge, 0.0], dtype=torch.float64)
    torch.testing.assert_close(log_and_sign(g), torch.tensor(
        [[math.log(1e30) / 10, 1], [0.1, -1], [0, 1], [-1, -0.5], [-1, 0]], dtype=torch.float64))
    assert log_and_sign(g)[0, 0] > 1
    torch.testing.assert_close(log_and_sign(torch.tensor(math.e), p=4.0), torch.tensor([0.25, 1.0]))


def test_permuted_coordinates_take_permuted_steps():
    optimiser, order = small(), torch.tensor([2, 0, 3, 1])
    g = torch.randn(5, 3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    state, other = optimiser.start(g[0]), optimiser.start(g[0])
    for each in g:
        step, state = optimiser(each, state)
        permuted, other = optimiser(each[:, order], other)
        torch.testing.assert_close(permuted, step[:, order], rtol=0, atol=1e-14)
    assert step.std() > 0


def test_training_lowers_the_loss_and_a_seed_gives_the_same_numbers():
    sample = lambda generator: random_quadratics(16, generator)
    optimiser, again = LearnedOptimiser(seed=1), LearnedOptimiser(seed=1)
    losses = list(meta_train(optimiser, sample, 12, steps=40, lr=1e-2, seed=5))
    assert list(meta_train(again, sample, 12, steps=40, lr=1e-2, seed=5)) == losses
    f, theta = random_quadratics(64, torch.Generator().manual_seed(9))
    trained, fresh = run(optimiser, f, theta, 40), run(LearnedOptimiser(seed=1), f, theta, 40)
    assert trained[-1].mean() < 0.5 * fresh[-1].mean() and not trained.requires_grad


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="needs at least 1 unit and 1 layer, got 0 and 2"):
        LearnedOptimiser(hidden=0)
    with pytest.raises(ValueError, match="equal stretches, got 100 steps and stretches of 30"):
        next(meta_train(LearnedOptimiser(), random_quadratics, 1, stretch=30))
    far = lambda generator: (lambda theta: theta.sum(-1) * math.inf, torch.ones(2, 3))
    with pytest.raises(ValueError, match="the meta-loss is .*; train with a lower rate than 0.01"):
        next(meta_train(LearnedOptimiser(), far, 1))
