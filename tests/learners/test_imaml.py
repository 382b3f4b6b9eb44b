"""iMAML against closed forms: the proximal minimum, its meta-gradient, and what is left when λ goes to infinity."""

import pytest
import torch
from tiny import sinusoids
from torch import nn

from mlcourse.episode import Episode
from mlcourse.learners import IMAML, MAML
from mlcourse.learners.imaml import conjugate_gradient
from mlcourse.nets import MLP, params_of


def linear_task(seed=0, d=3, n=7):
    """A regression episode in d dimensions, in float64."""
    generator = torch.Generator().manual_seed(seed)
    draw = lambda *shape: torch.randn(shape, generator=generator, dtype=torch.float64)
    return Episode(draw(n, d), draw(n, 1), draw(n, d), draw(n, 1), draw(0, d), torch.zeros(0, dtype=torch.int64),
                   torch.tensor(0))


def curvature(x):
    """∇² of the mean of (x w - y)² by w."""
    return 2 * x.T @ x / len(x)


@pytest.mark.parametrize("strength", [2.0, 20.0])
def test_on_a_quadratic_both_loops_have_closed_forms(strength):
    """φ = (H + λI)⁻¹ (b + λθ) and v = (I + H/λ)⁻¹ ∇L^query(φ); three weights take three steps of conjugate gradient."""
    net = nn.Linear(3, 1, bias=False).double()
    learner, episode = IMAML(net, lr=1 / (strength + 8), steps=600, strength=strength, cg_steps=3), linear_task()
    theta = net.weight.detach()[0]
    H, b = curvature(episode.support_x), 2 * episode.support_x.T @ episode.support_y[:, 0] / 7
    phi = torch.linalg.solve(H + strength * torch.eye(3), b + strength * theta)
    torch.testing.assert_close(learner.adapt(episode).params["weight"][0], phi, rtol=0, atol=1e-9)
    loss = learner.loss(episode)
    torch.testing.assert_close(loss, (episode.query_x @ phi - episode.query_y[:, 0]).square().mean(), check_dtype=False)
    at_query = curvature(episode.query_x) @ phi - 2 * episode.query_x.T @ episode.query_y[:, 0] / 7
    loss.backward()
    wanted = torch.linalg.solve(torch.eye(3) + H / strength, at_query)
    torch.testing.assert_close(net.weight.grad[0], wanted, rtol=0, atol=1e-9)


def test_where_the_inner_loop_has_converged_the_meta_gradient_is_the_derivative():
    """Of a network with kinks, against central differences."""
    learner = IMAML(MLP((1, 5, 5, 1), seed=1).double(), lr=0.01, steps=200, strength=30.0, cg_steps=30)
    episode = sinusoids(1).task(0)
    parameters = list(learner.parameters())
    gradients = torch.autograd.grad(learner.loss(episode), parameters)
    along = [torch.randn(p.shape, generator=torch.Generator().manual_seed(0), dtype=p.dtype) for p in parameters]
    values = []
    for step in (1e-5, -2e-5):
        with torch.no_grad():
            for p, u in zip(parameters, along, strict=True):
                p.add_(u, alpha=step)
        values.append(learner.loss(episode).item())
    slope = float(sum((g * u).sum() for g, u in zip(gradients, along, strict=True)))
    assert slope == pytest.approx((values[0] - values[1]) / 2e-5, rel=1e-4)


def test_conjugate_gradient_solves_over_dicts_and_comes_nearer_with_every_step():
    generator = torch.Generator().manual_seed(0)
    root = torch.randn(6, 6, generator=generator, dtype=torch.float64)
    matrix, b = root @ root.T + torch.eye(6), torch.randn(6, generator=generator, dtype=torch.float64)
    cut = lambda flat: {"a": flat[:2], "b": flat[2:].view(2, 2)}
    flat = lambda x: torch.cat([x["a"], x["b"].flatten()])
    exact = torch.linalg.solve(matrix, b)
    found = [flat(conjugate_gradient(lambda x: cut(matrix @ flat(x)), cut(b), steps)) for steps in range(7)]
    off = [float((x - exact) @ matrix @ (x - exact)) for x in found]      # what conjugate gradient makes smaller
    assert all(after < before for before, after in zip(off[:-1], off[1:], strict=True))
    torch.testing.assert_close(found[6], exact, rtol=0, atol=1e-9)
    zero = conjugate_gradient(lambda x: cut(matrix @ flat(x)), cut(torch.zeros_like(b)), 3)
    assert all(torch.equal(part, torch.zeros_like(part)) for part in zero.values())


def test_an_infinite_pull_is_joint_training_and_a_weak_one_is_not():
    episode = sinusoids(1).task(0)
    def gradient(strength):
        learner = IMAML(MLP((1, 5, 5, 1)).double(), lr=0.5 / strength, steps=30, strength=strength)
        learner.loss(episode).backward()
        joint = learner.query_loss(params_of(learner.net), episode)
        wanted = torch.autograd.grad(joint, list(learner.parameters()))
        return [torch.cat([g.flatten() for g in each])
                for each in ((p.grad for p in learner.parameters()), wanted)]

    torch.testing.assert_close(*gradient(1e7), rtol=1e-4, atol=1e-6)
    ours, joint = gradient(1.0)
    assert (ours - joint).norm() > 0.05 * joint.norm()


def nodes(loss):
    """How many operations of its graph a loss keeps."""
    seen, todo = set(), [loss.grad_fn]
    while todo:
        node = todo.pop()
        if node is not None and node not in seen:
            seen.add(node)
            todo.extend(following for following, _ in node.next_functions)
    return len(seen)


def test_the_graph_does_not_grow_with_the_inner_steps():
    """As MAML's does."""
    episode = sinusoids(1).task(0)
    ours, maml = ([nodes(kind(MLP((1, 5, 5, 1)).double(), steps=steps).loss(episode)) for steps in (2, 20)]
                  for kind in (IMAML, MAML))
    assert ours[0] == ours[1] and maml[1] > 5 * maml[0]


@pytest.mark.parametrize("wrong, sentence", [
    ({"strength": 0.0}, "strength λ must be a positive, finite number, got 0.0"),
    ({"cg_steps": 0}, "cg_steps"), ({"lr": float("nan")}, "inner learning rate")])
def test_what_does_not_fit_is_refused(wrong, sentence):
    with pytest.raises(ValueError, match=sentence):
        IMAML(MLP((1, 5, 1)), **wrong)
