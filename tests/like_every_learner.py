"""What the conformance suite asks of every learner, also for those that it cannot build."""

import pytest
import torch
from torch.utils._pytree import tree_map

from mlcourse.engine import switch
from mlcourse.learner import batch_loss


def check_like_every_learner(learner, batch):
    """A loop equals vmap and the engine that a batch goes through, every parameter gets the gradient that finite
    differences give, predict is pure, one query alone is predicted as in a batch, the loss refuses to run without
    gradients, and what a subclass overrides reaches a batch. learner, batch: in float64."""
    loop = switch.in_a_loop(learner.loss, batch)
    for together in (learner.losses(batch), torch.vmap(learner.loss)(batch)):
        torch.testing.assert_close(together, loop, rtol=0, atol=1e-11)
    batch_loss(learner, batch).backward()
    assert all(p.grad is not None and p.grad.abs().max() > 1e-8 for p in learner.parameters())
    check_gradient(learner, lambda: batch_loss(learner, batch))
    check_overriding(learner, batch)
    episode = batch.task(0)
    state = learner.adapt(episode)
    together = learner.predict(state, episode.query_x)
    assert torch.equal(together, learner.predict(state, episode.query_x)) and not learner.is_transductive
    torch.testing.assert_close(together, torch.cat([learner.predict(state, x[None]) for x in episode.query_x]))
    with torch.no_grad(), pytest.raises(RuntimeError, match="leave torch.no_grad"):
        learner.loss(episode)


def check_gradient(learner, loss, eps=1e-7):
    """The gradient of `loss`() along a random direction is its central difference; and is not, where the learner says
    so."""
    parameters = [p for p in learner.parameters() if p.requires_grad]
    generator = torch.Generator().manual_seed(0)
    along = [torch.randn(p.shape, generator=generator, dtype=p.dtype) for p in parameters]
    gradients = torch.autograd.grad(loss(), parameters, allow_unused=True, materialize_grads=True)
    slope = float(sum((g * u).sum() for g, u in zip(gradients, along, strict=True)))
    values = []
    for step in (eps, -2 * eps, eps):       # the last one leads back
        with torch.no_grad():
            for p, u in zip(parameters, along, strict=True):
                p.add_(u, alpha=step)
        values.append(loss().item())
    difference = (values[0] - values[1]) / (2 * eps)
    off = abs(slope - difference) / max(abs(slope), abs(difference))
    assert off < 1e-5 if learner.exact_gradient else off > 1e-3, (slope, difference)


def check_overriding(learner, batch):
    """A subclass that overrides one method, each in turn, as one writes it for a single episode, is computed as a loop
    would; and so is one that claims to stack where what it does suits a batch, too. With one inner step."""
    if learner.engine != switch.STACKED:
        return
    if hasattr(learner, "steps"):
        learner.steps = 1
    for name in sorted(type(learner)._claimed):
        if isinstance(getattr(type(learner), name), property):
            continue
        other = _as(learner, {name: _overriding(name, _for_one_episode)})
        assert other.engine != switch.STACKED
        _check_batch(other, batch, name)
        if name not in ("adapt", "prepare"):        # their results are in a form of the engine's own
            claiming = _as(learner, {name: _overriding(name, lambda t: 1.5 * t), "stacks": True})
            assert claiming.engine == switch.STACKED
            _check_batch(claiming, batch, name)


def _for_one_episode(t):
    return t / (1 + t.square().mean())


def _overriding(name, change):
    def method(self, *arguments, **named):
        result = getattr(super(type(self), self), name)(*arguments, **named)
        return tree_map(lambda t: change(t) if torch.is_tensor(t) and t.is_floating_point() else t, result)

    return method


def _as(learner, body):
    """The same learner as one of a subclass with this body."""
    other = object.__new__(type(f"Own{type(learner).__name__}", (type(learner),), body))
    other.__dict__.update(learner.__dict__)
    return other


def _check_batch(learner, batch, name):
    one = lambda episode: learner.predict(learner.adapt(episode), episode.query_x)
    found = [(learner.losses(batch), switch.in_a_loop(learner.loss, batch))]
    with torch.no_grad():
        found.append((learner.predictions(batch), switch.in_a_loop(one, batch)))
    for together, loop in found:
        torch.testing.assert_close(together, loop, rtol=1e-9, atol=1e-11, msg=lambda said: f"{name}: {said}")


def check_mixed_labels_leave_chance(learner, sampler, episodes=200):
    """With the support labels of each episode in another order a trained learner has nothing to go by."""
    batch = sampler.sample(episodes, torch.Generator().manual_seed(5))
    order = torch.rand(batch.support_y.shape, generator=torch.Generator().manual_seed(6)).argsort(1)
    mixed = batch._replace(support_y=batch.support_y.gather(1, order))
    with torch.no_grad():
        right = (learner.predictions(mixed).argmax(-1) == mixed.query_y).double().mean(1)
    assert abs(right.mean() - 1 / sampler.way) < 4 * right.std() / episodes**0.5


def gradients(learner, loss):
    return torch.autograd.grad(loss, [p for p in learner.parameters() if p.requires_grad], materialize_grads=True,
                               allow_unused=True)


def assert_batch_is_loop(learner, batch):
    """Losses, gradients and predictions."""
    together, loop = learner.losses(batch), switch.in_a_loop(learner.loss, batch)
    torch.testing.assert_close(together, loop, rtol=1e-9, atol=1e-11)
    for ours, slow in zip(gradients(learner, together.sum()), gradients(learner, loop.sum()), strict=True):
        torch.testing.assert_close(ours, slow, rtol=1e-8, atol=1e-11)
    one = lambda e: learner.predict(learner.adapt(e), e.query_x)
    torch.testing.assert_close(learner.predictions(batch), switch.in_a_loop(one, batch), rtol=1e-9, atol=1e-11)
