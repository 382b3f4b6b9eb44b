"""iMAML against closed forms: the proximal minimum, its meta-gradient, and what is left when λ goes to infinity."""

import pytest
import torch
from tiny import sinusoids
from torch import nn

from mlcourse.episode import Episode
from mlcourse.learners import IMAML, MAML
from mlcourse.learners.imaml import conjugate_gradient, curvature
from mlcourse.losses import task_loss
from mlcourse.nets import MLP, call, params_of


def linear_task(seed=0, d=3, n=7):
    """A regression episode in d dimensions, in float64."""
    generator = torch.Generator().manual_seed(seed)
    draw = lambda *shape: torch.randn(shape, generator=generator, dtype=torch.float64)
    return Episode(draw(n, d), draw(n, 1), draw(n, d), draw(n, 1), draw(0, d), torch.zeros(0, dtype=torch.int64),
                   torch.tensor(0))


def hessian(x):
    """∇² of the mean of (x w - y)² by w."""
    return 2 * x.T @ x / len(x)


@pytest.mark.parametrize("strength", [2.0, 20.0])
def test_on_a_quadratic_both_loops_have_closed_forms(strength):
    """φ = (H + λI)⁻¹ (b + λθ) and v = (I + H/λ)⁻¹ ∇L^query(φ); three weights take three steps of conjugate gradient."""
    net = nn.Linear(3, 1, bias=False).double()
    learner, episode = IMAML(net, lr=1 / (strength + 8), steps=600, strength=strength, cg_steps=3), linear_task()
    theta = net.weight.detach()[0]
    H, b = hessian(episode.support_x), 2 * episode.support_x.T @ episode.support_y[:, 0] / 7
    phi = torch.linalg.solve(H + strength * torch.eye(3), b + strength * theta)
    torch.testing.assert_close(learner.adapt(episode).params["weight"][0], phi, rtol=0, atol=1e-7)
    loss = learner.loss(episode)
    torch.testing.assert_close(loss, (episode.query_x @ phi - episode.query_y[:, 0]).square().mean(), check_dtype=False)
    at_query = hessian(episode.query_x) @ phi - 2 * episode.query_x.T @ episode.query_y[:, 0] / 7
    loss.backward()
    wanted = torch.linalg.solve(torch.eye(3) + H / strength, at_query)
    torch.testing.assert_close(net.weight.grad[0], wanted, rtol=0, atol=1e-7)


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


class Smooth(nn.Module):
    """A network without kinks: 1 → 6 → 1, tanh."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.body, self.head = nn.Linear(1, 6), nn.Linear(6, 1)

    def forward(self, x):
        return self.head(self.body(x).tanh())


def unrolled(net, episode, strength, lr, steps):
    """∇ of the query loss by θ through every one of `steps` gradient steps on G, and where they end."""
    theta = params_of(net)
    phi = theta
    for _ in range(steps):
        G = task_loss(call(net, phi, episode.support_x), episode.support_y) + strength / 2 * sum(
            (phi[name] - theta[name]).square().sum() for name in theta)
        g = torch.autograd.grad(G, list(phi.values()), create_graph=True)
        phi = {name: p - lr * each for (name, p), each in zip(phi.items(), g, strict=True)}
    loss = task_loss(call(net, phi, episode.query_x), episode.query_y)
    return torch.autograd.grad(loss, list(theta.values()))


@pytest.mark.parametrize("strength, enough", [(1.0, 20), (5.0, 5)])
def test_on_a_small_network_the_meta_gradient_is_the_exact_one(strength, enough):
    """That of autograd through 200 steps, within 1 %; a weaker pull takes more steps of conjugate gradient."""
    net, episode = Smooth().double(), sinusoids(1).task(0)
    exact = torch.cat([g.flatten() for g in unrolled(net, episode, strength, 0.1, 200)])
    off = []
    for cg_steps in (1, enough):
        learner = IMAML(net, lr=0.1, steps=200, strength=strength, cg_steps=cg_steps)
        ours = torch.cat([g.flatten() for g in torch.autograd.grad(learner.loss(episode), list(net.parameters()))])
        off.append(float((ours - exact).norm() / exact.norm()))
    assert off[0] > 0.05 and off[1] < 0.01, off


def test_a_hessian_is_built_once_and_multiplies_many_vectors():
    net, episode = Smooth().double(), sinusoids(1).task(0)
    loss = lambda at: task_loss(call(net, at, episode.support_x), episode.support_y)
    H = curvature(loss, params_of(net), stacked=False)
    dense = torch.func.hessian(loss)(params_of(net))
    for seed in range(2):
        generator = torch.Generator().manual_seed(seed)
        v = {name: torch.randn(p.shape, generator=generator, dtype=p.dtype) for name, p in net.named_parameters()}
        for name, Hv in H(v).items():
            wanted = sum(torch.tensordot(dense[name][other], v[other], v[other].dim()) for other in v)
            torch.testing.assert_close(Hv, wanted)


def test_a_rate_that_is_too_large_is_halved_until_the_loss_falls():
    """Plain steps of this rate leave every bound."""
    net, episode = nn.Linear(3, 1, bias=False).double(), linear_task()
    learner = IMAML(net, lr=20.0, steps=200, strength=2.0)
    H, b = hessian(episode.support_x), 2 * episode.support_x.T @ episode.support_y[:, 0] / 7
    phi = torch.linalg.solve(H + 2 * torch.eye(3), b + 2 * net.weight.detach()[0])
    torch.testing.assert_close(learner.adapt(episode).params["weight"][0], phi, rtol=0, atol=1e-6)


def test_conjugate_gradient_stops_where_the_curvature_is_not_positive():
    """And goes on in the other tasks of a batch."""
    A = torch.tensor([[2.0, 1.0], [2.0, -1.0]], dtype=torch.float64)
    b = torch.ones(2, 2, dtype=torch.float64)
    x = conjugate_gradient(lambda v: {"w": A * v["w"]}, {"w": b}, 2, dims=1)["w"]
    torch.testing.assert_close(x[0], torch.tensor([0.5, 1.0], dtype=torch.float64))
    torch.testing.assert_close(x[1], torch.tensor([2.0, 2.0], dtype=torch.float64))


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


def saved_bytes(learner, episode):
    """The most bytes that autograd holds at one time, for whatever derivative, while a meta-gradient is computed."""
    alive, most = {}, [0]

    class Saved:
        def __init__(self, tensor):
            self.tensor = tensor
            alive[id(self)] = tensor.numel() * tensor.element_size()
            most[0] = max(most[0], sum(alive.values()))

        def __del__(self):
            alive.pop(id(self), None)

    with torch.autograd.graph.saved_tensors_hooks(Saved, lambda saved: saved.tensor):
        learner.losses(episode).mean().backward()
    return most[0]


def test_memory_does_not_grow_with_the_inner_steps():
    """As MAML's does."""
    episodes = sinusoids(3)
    ours, maml = ([saved_bytes(kind(MLP((1, 8, 8, 1)).double(), steps=steps), episodes) for steps in (2, 20)]
                  for kind in (IMAML, MAML))
    assert ours[0] == ours[1] > 0 and maml[1] > 5 * maml[0]


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
