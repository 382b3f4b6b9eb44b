import pytest
import torch

from mlcourse.datasets.sinusoid import SinusoidSampler, sinusoid
from mlcourse.engine.descend import descend, trajectory
from mlcourse.learners import ANIL, FOMAML, MAML
from mlcourse.losses import task_loss
from mlcourse.nets import MLP, call, params_of


def episode(shot=5, query=7):
    return SinusoidSampler(shot, query).sample(1, torch.Generator().manual_seed(3)).task(0).to(torch.float64)


def small_net():
    return MLP((1, 6, 5, 1), seed=1).double()


def flat(tensors):
    return torch.cat([t.flatten() for t in tensors])


def support_loss(net, ep):
    return lambda p: task_loss(call(net, p, ep.support_x), ep.support_y)


def loop_from_the_paper(net, ep, lr, steps, first_order=False):
    """Algorithm 1 with torch.autograd: the query loss after `steps` inner steps."""
    names, theta = zip(*net.named_parameters(), strict=True)
    phi = list(theta)
    for _ in range(steps):
        loss = task_loss(call(net, dict(zip(names, phi, strict=True)), ep.support_x), ep.support_y)
        grads = torch.autograd.grad(loss, phi, create_graph=not first_order)
        phi = [p - lr * g for p, g in zip(phi, grads, strict=True)]
    return task_loss(call(net, dict(zip(names, phi, strict=True)), ep.query_x), ep.query_y)


def test_one_step_on_a_parabola():
    """L = ½ (φ - a)² from θ: φ = θ - α (θ - a)."""
    out = descend(lambda p: 0.5 * (p["w"] - 3.0) ** 2, {"w": torch.tensor(1.0)}, 1, 0.25)
    assert out["w"].item() == pytest.approx(1.5)


@pytest.mark.parametrize("steps", [1, 2, 5])
@pytest.mark.parametrize("kind", [MAML, FOMAML])
def test_loss_and_meta_gradient_equal_the_loop(steps, kind):
    net, ep = small_net(), episode()
    learner = kind(net, lr=0.05, steps=steps)
    loss, slow = learner.loss(ep), loop_from_the_paper(net, ep, 0.05, steps, first_order=kind is FOMAML)
    torch.testing.assert_close(loss, slow, rtol=0, atol=1e-13)
    ours = torch.autograd.grad(loss, list(net.parameters()))
    theirs = torch.autograd.grad(slow, list(net.parameters()))
    torch.testing.assert_close(flat(ours), flat(theirs), rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", [MAML, ANIL])
def test_meta_gradient_against_finite_differences(kind):
    net, ep = small_net(), episode()
    learner = kind(net, lr=0.05, steps=3)
    gradient = flat(torch.autograd.grad(learner.loss(ep), list(net.parameters())))
    numeric, eps = [], 1e-6
    for p in net.parameters():
        for i in range(p.numel()):
            values = []
            for sign in (1, -1):
                with torch.no_grad():
                    p.view(-1)[i] += sign * eps
                values.append(learner.loss(ep).item())
                with torch.no_grad():
                    p.view(-1)[i] -= sign * eps
            numeric.append((values[0] - values[1]) / (2 * eps))
    torch.testing.assert_close(gradient, torch.tensor(numeric, dtype=torch.float64), rtol=1e-6, atol=1e-8)


def test_fomaml_is_the_query_gradient_at_phi_and_differs_from_maml():
    net, ep = small_net(), episode()
    first = flat(torch.autograd.grad(FOMAML(net, 0.05).loss(ep), list(net.parameters())))
    second = flat(torch.autograd.grad(MAML(net, 0.05).loss(ep), list(net.parameters())))
    phi = {k: v.detach().requires_grad_() for k, v in FOMAML(net, 0.05).adapt(ep).params.items()}
    at_phi = flat(torch.autograd.grad(task_loss(call(net, phi, ep.query_x), ep.query_y), list(phi.values())))
    torch.testing.assert_close(first, at_phi, rtol=0, atol=1e-13)
    assert (first - second).norm() > 0.01 * second.norm()


def test_no_grad_gives_the_same_parameters():
    net, ep = small_net(), episode()
    with torch.no_grad():
        inside = MAML(net, 0.05, 3).adapt(ep).params
    outside = MAML(net, 0.05, 3).adapt(ep).params
    for name in inside:
        assert torch.equal(inside[name], outside[name])


def test_only_the_named_parameters_move_and_the_start_stays():
    net, ep = small_net(), episode()
    before = {k: v.clone() for k, v in params_of(net).items()}
    after = descend(support_loss(net, ep), params_of(net), 2, 0.1, only=["head."])
    for name, p in params_of(net).items():
        assert torch.equal(p, before[name])
        assert torch.equal(after[name], p) == (not name.startswith("head."))


def test_rates_of_any_sign_for_each_parameter():
    start = {"a": torch.tensor([1.0, 1.0]), "b": torch.tensor(2.0)}
    rates = {"a": torch.tensor([0.1, -0.1]), "b": torch.tensor(0.0)}
    after = descend(lambda p: p["a"].sum() + p["b"], start, 1, rates)
    torch.testing.assert_close(after["a"], torch.tensor([0.9, 1.1]))
    assert after["b"] == 2.0


def test_trajectory_begins_at_the_start_and_ends_where_descend_does():
    net, ep = small_net(), episode()
    path = trajectory(support_loss(net, ep), params_of(net), 4, 0.05)
    end = descend(support_loss(net, ep), params_of(net), 4, 0.05)
    assert len(path) == 5
    assert all(torch.equal(path[0][k], params_of(net)[k]) and torch.equal(path[-1][k], end[k]) for k in end)


@pytest.mark.parametrize("lr", [0, -0.1, float("inf"), float("nan")])
def test_a_rate_that_cannot_work_is_refused(lr):
    with pytest.raises(ValueError, match=f"learning rate must be a positive, finite number, got {lr}"):
        descend(lambda p: p["w"], {"w": torch.tensor(1.0)}, 1, lr)
    with pytest.raises(ValueError, match="inner learning rate must be a positive"):
        MAML(MLP(), lr=lr)


def test_other_bad_input_is_named():
    start = {"w": torch.tensor(1.0)}
    with pytest.raises(ValueError, match="no parameter is called 'head'"):
        descend(lambda p: p["w"], start, 1, 0.1, only=["head"])
    with pytest.raises(ValueError, match="no learning rate for parameter 'w'"):
        descend(lambda p: p["w"], start, 1, {"v": torch.tensor(1.0)})
    with pytest.raises(ValueError, match="must not be negative, got -1"):
        descend(lambda p: p["w"], start, -1, 0.1)


def test_sinusoid_tasks_lie_in_the_papers_ranges():
    sampler, generator = SinusoidSampler(4, 6), torch.Generator().manual_seed(0)
    amplitude, phase = sampler.tasks(2000, generator)
    assert 0.1 <= amplitude.min() < 0.2 and 4.9 < amplitude.max() <= 5
    assert 0 <= phase.min() < 0.01 and 3.13 < phase.max() <= torch.pi
    ep = sampler.episodes(amplitude, phase, generator)
    assert ep.support_x.shape == (2000, 4, 1) and ep.query_y.shape == (2000, 6, 1) and ep.way == 0
    assert ep.support_x.abs().max() <= 5
    torch.testing.assert_close(ep.query_y, sinusoid(ep.query_x, amplitude.view(-1, 1, 1), phase.view(-1, 1, 1)))
    again = sampler.sample(3, torch.Generator().manual_seed(1))
    assert torch.equal(again.support_x, sampler.sample(3, torch.Generator().manual_seed(1)).support_x)


def test_sinusoid_sampler_refuses_what_it_cannot_draw():
    with pytest.raises(ValueError, match="shot must be at least 1, got 0"):
        SinusoidSampler(0)
    with pytest.raises(ValueError, match="range of amplitude"):
        SinusoidSampler(amplitude=(5, 1))
