"""The fast engine against the simple networks: stacked.py, dual.py and the threads that share a batch."""

import pytest
import torch
from tiny import patterns

from mlcourse.datasets.sinusoid import SinusoidSampler
from mlcourse.engine import dual
from mlcourse.engine.descend import descend
from mlcourse.episode import EpisodeSampler
from mlcourse.learner import batch_loss, map_parts
from mlcourse.learners import FOMAML, MAML, FromScratch
from mlcourse.losses import task_loss
from mlcourse.nets import MLP, Conv4, call, features, of_tasks, params_of, stacked, statistics

TASKS = 3


def weights(net, seed=0):
    """Weights of three tasks: the network's own, each disturbed differently."""
    generator = torch.Generator().manual_seed(seed)
    return {name: p + 0.1 * torch.randn(TASKS, *p.shape, generator=generator).to(p) for name, p in
            net.named_parameters()}


def one(params, i):
    return {name: p[i] for name, p in params.items()}


def pictures(side, samples=4):
    return torch.rand(TASKS, samples, 1, side, side, generator=torch.Generator().manual_seed(5), dtype=torch.float64)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("side", [2, 3, 6, 7])
def test_unfold_takes_the_patches_of_torch(stride, side):
    y = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(0))
    expected = torch.nn.functional.unfold(y, 3, padding=1, stride=stride)           # (N, C·9, h·w)
    ours = stacked.Unfold.apply(y.permute(0, 2, 3, 1).contiguous(), stride)
    n, h, w = ours.shape[:3]
    assert torch.equal(ours.permute(0, 5, 3, 4, 1, 2).reshape(n, -1, h * w), expected)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("side", [2, 3, 4])
def test_unfold_and_fold_are_differentiated_twice(stride, side):
    y = torch.randn(2, side, side, 2, dtype=torch.float64, requires_grad=True)
    unfold = lambda y: stacked.Unfold.apply(y, stride)
    assert torch.autograd.gradcheck(unfold, y) and torch.autograd.gradgradcheck(unfold, y, fast_mode=True)
    g = torch.randn_like(unfold(y)).requires_grad_()
    fold = lambda g: stacked.Fold.apply(g, stride, (side, side))
    assert torch.autograd.gradcheck(fold, g) and torch.autograd.gradgradcheck(fold, g, fast_mode=True)


@pytest.mark.parametrize("norm", ["batch", "support", "running", "none"])
@pytest.mark.parametrize(("pool", "side"), [("stride", 28), ("stride", 16), ("max", 28), ("max", 16),
                                            ("early", 16)])
def test_stacked_convolutions_are_those_of_the_network(pool, side, norm):
    net = Conv4(5, 6, pool, norm, side).double()
    params, x = weights(net), pictures(side)
    assert of_tasks(net, params) and not of_tasks(net, params_of(net))
    for prepared in (x, net.prepare(x)):
        torch.testing.assert_close(call(net, params, prepared), torch.stack(
            [call(net, one(params, i), x[i]) for i in range(TASKS)]), rtol=0, atol=1e-12)
        torch.testing.assert_close(features(net, params, prepared), torch.stack(
            [features(net, one(params, i), x[i]) for i in range(TASKS)]), rtol=0, atol=1e-12)


@pytest.mark.parametrize("pool", ["stride", "max"])
def test_stacked_convolutions_see_and_use_the_statistics_of_the_network(pool):
    net = Conv4(5, 6, pool, "support").double()
    params, x, queries = weights(net), pictures(28), pictures(28, 2) ** 2
    stats = statistics(net, params, x)
    for i in range(TASKS):
        expected = statistics(net, one(params, i), x[i])
        torch.testing.assert_close([tuple(s[i] for s in pair) for pair in stats], list(expected), rtol=0, atol=1e-12)
        torch.testing.assert_close(call(net, params, queries, stats)[i],
                                   call(net, one(params, i), queries[i], expected), rtol=0, atol=1e-12)
    shared = tuple((mean[0], var[0]) for mean, var in stats)
    torch.testing.assert_close(call(net, params, queries, shared)[1], call(net, one(params, 1), queries[1], shared),
                               rtol=0, atol=1e-12)


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_stacked_linear_layers_are_those_of_the_network(norm):
    net = MLP((12, 7, 6, 2), norm).double()
    params, x = weights(net), torch.randn(TASKS, 5, 3, 4, dtype=torch.float64)
    expected = torch.stack([call(net, one(params, i), x[i]) for i in range(TASKS)])
    torch.testing.assert_close(call(net, params, x), expected, rtol=0, atol=1e-12)


def test_an_mlp_knows_two_norms():
    with pytest.raises(ValueError, match="norm of an MLP must be 'none' or 'batch', got 'layer'"):
        MLP((1, 8, 1), "layer")


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("steps", [0, 1, 3])
@pytest.mark.parametrize("norm", ["none", "batch"])
def test_weights_that_are_never_written_predict_and_learn_as_written_ones(norm, steps, order):
    """W - Σ δ xᵀ against `descend`: the same outputs, and the same gradient by θ."""
    net = MLP((64, 40, 30, 3), norm).double()
    x, queries = torch.randn(2, TASKS, 4, 64, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    y = torch.tensor([[0, 1, 2, 0]]).expand(TASKS, 4)
    theta = params_of(net)
    short = dual.descend(net, theta, x, y, steps, 0.2, order)
    assert isinstance(short["body.0.weight"], dual.UpdatedWeight) and torch.is_tensor(short["head.weight"])
    full = descend(lambda phi: task_loss(call(net, phi, x), y),
                   {name: p.expand(TASKS, *p.shape) for name, p in theta.items()}, steps, 0.2, order=order, stacked=True)
    outputs = [call(net, phi, queries) for phi in (short, full)]
    torch.testing.assert_close(*outputs, rtol=0, atol=1e-12)
    gradients = [torch.autograd.grad(task_loss(out, y).sum(), list(theta.values())) for out in outputs]
    torch.testing.assert_close(*gradients, rtol=1e-9, atol=1e-12)


def test_a_frozen_network_and_no_grad_adapt_too():
    batch = SinusoidSampler(3, 4).sample(2, torch.Generator().manual_seed(0)).to(torch.float64)
    learner = FromScratch(MLP((1, 40, 40, 1)), 0.01, 3).double()
    with torch.no_grad():
        together = learner.predictions(batch)
    alone = torch.stack([learner.predict(learner.adapt(e), e.query_x) for e in (batch.task(0), batch.task(1))])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-12)


class Scaled(MAML):
    """A subclass that knows nothing of batches."""

    def loss(self, episode):
        return 3 * super().loss(episode._replace(support_x=episode.support_x.flatten(0)[:, None]))


class Smoothed(MAML):
    """Another inner loss, which the dual form would not see."""

    def loss_at(self, phi, x, y):
        return 2 * super().loss_at(phi, x, y)


def test_a_method_with_another_inner_loss_falls_back_on_vmap():
    batch = SinusoidSampler(3, 4).sample(2, torch.Generator().manual_seed(0)).to(torch.float64)
    learner = Smoothed(MLP()).double()
    loop = torch.stack([learner.loss(batch.task(i)) for i in range(2)])
    torch.testing.assert_close(learner.losses(batch), loop, rtol=0, atol=1e-12)


def test_a_method_that_overrides_a_part_falls_back_on_vmap():
    batch = SinusoidSampler(3, 4).sample(2, torch.Generator().manual_seed(0))
    assert MAML(MLP()).engine == "stacked" and Scaled(MLP()).engine == "vmap"
    torch.testing.assert_close(batch_loss(Scaled(MLP()), batch), 3 * batch_loss(MAML(MLP()), batch))


@pytest.mark.parametrize("kind", [MAML, FOMAML])
def test_parts_and_threads_change_no_gradient(kind):
    learner = kind(Conv4(3, 6, side=16), 0.1, 2).double()
    batch = EpisodeSampler(patterns(), 3, 1, 2).sample(5, torch.Generator().manual_seed(0)).to(torch.float64)
    parameters = list(learner.parameters())

    def gradient(part):
        return torch.autograd.grad(learner.losses(part).sum(), parameters)

    whole = gradient(batch)
    for at_once in (1, 2, 4):
        pieces = map_parts(gradient, batch, at_once, parallel=True)
        assert len(pieces) == {1: 5, 2: 3, 4: 2}[at_once]
        for ours, expected in zip(map(sum, zip(*pieces, strict=True)), whole, strict=True):
            torch.testing.assert_close(ours, expected, rtol=1e-9, atol=1e-12)
