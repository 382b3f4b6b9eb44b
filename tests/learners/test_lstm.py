"""The LSTM meta-learner: against one weight at a time, as gradient descent, and its states."""

import math

import pytest
import torch
from like_every_learner import check_gradient
from tiny import learner, pictures, sinusoids
from torch import nn

from mlcourse.learner import batch_loss
from mlcourse.learners import FOMAML, MAML, MetaLSTM
from mlcourse.nets import MLP, call, wrap
from mlcourse.optimisers import log_and_sign


def of_sinusoids(**settings):
    return MetaLSTM(MLP((1, 3, 1), seed=1), **settings).double()


@torch.no_grad()
def as_descent(lstm, forget, rate):
    """Gates that stay where their biases are."""
    lstm.gates.zero_()
    lstm.bias.copy_(torch.tensor([forget, rate]))


def test_without_weights_and_with_biases_it_is_gradient_descent_at_the_rate_of_the_gate():
    """The gradient is that of the mean over the support set: divided by its size once."""
    lstm, batch = of_sinusoids(steps=3), sinusoids(2)
    as_descent(lstm, 40.0, -2.0)                      # σ(40) is 1 in float64
    adapted, rate = lstm.adapt(batch).params, 1 / (1 + math.exp(2.0))
    for i in range(2):
        episode, phi = batch.task(i), dict(lstm.net.named_parameters())
        for _ in range(3):
            total = (call(lstm.net, phi, episode.support_x) - episode.support_y).square().sum()
            g = torch.autograd.grad(total / len(episode.support_y), list(phi.values()))
            phi = {name: (p - rate * each).detach().requires_grad_() for (name, p), each in zip(phi.items(), g)}
        for name, wanted in phi.items():
            torch.testing.assert_close(adapted[name][i], wanted)


@pytest.mark.parametrize("order, same", [(1, FOMAML), (2, MAML)])
def test_with_gates_that_stay_the_start_has_the_meta_gradient_of_maml_in_first_or_second_order(order, same):
    lstm, batch = type("Planted", (MetaLSTM,), {"order": order})(MLP((1, 3, 1), seed=1), steps=3).double(), sinusoids(2)
    as_descent(lstm, 40.0, -2.0)
    wanted = same(MLP((1, 3, 1), seed=1), lr=1 / (1 + math.exp(2.0)), steps=3).double()
    slopes = [torch.autograd.grad(batch_loss(each, batch), list(each.net.parameters())) for each in (lstm, wanted)]
    for a, b in zip(*slopes):
        torch.testing.assert_close(a, b)
    for a, b in zip(slopes[0], torch.autograd.grad(lstm.loss(batch.task(0)) / 2 + lstm.loss(batch.task(1)) / 2,
                                                   list(lstm.net.parameters()))):
        torch.testing.assert_close(a, b)


def test_a_forget_gate_shrinks_the_weights_themselves():
    lstm, episode = of_sinusoids(steps=2), sinusoids().task(0)
    as_descent(lstm, 1.0, -60.0)
    kept = 1 / (1 + math.exp(-1.0))
    for name, p in lstm.adapt(episode).params.items():
        torch.testing.assert_close(p, kept**2 * dict(lstm.net.named_parameters())[name])


def slow(lstm, episode, steps):
    """Weight after weight, by torch's own cell: the loss after `steps`."""
    inner = nn.LSTMCell(4, lstm.lstm.hidden).double()
    inner.load_state_dict({"weight_ih": lstm.lstm.weight[:, :4], "weight_hh": lstm.lstm.weight[:, 4:],
                           "bias_ih": lstm.lstm.bias, "bias_hh": torch.zeros_like(lstm.lstm.bias)})
    shapes = {name: p.shape for name, p in lstm.net.named_parameters()}
    c = list(torch.cat([p.flatten() for p in lstm.net.parameters()]))
    states, f, i = [None] * len(c), [torch.zeros(()).double()] * len(c), [torch.zeros(()).double()] * len(c)
    named = lambda c: dict(zip(shapes, (part.view(shape) for part, shape in zip(
        torch.stack(c).split([shape.numel() for shape in shapes.values()]), shapes.values()))))
    for _ in range(steps):
        at = [each.detach().requires_grad_() for each in c]
        loss = (call(lstm.net, named(at), episode.support_x) - episode.support_y).square().mean()
        g = torch.autograd.grad(loss, at)
        for p in range(len(c)):
            x = torch.cat([log_and_sign(g[p]), log_and_sign(loss.detach())])
            states[p] = inner(x[None], states[p])
            f[p] = torch.cat([states[p][0][0], torch.stack([c[p], f[p]])]) @ lstm.gates[0] + lstm.bias[0]
            i[p] = torch.cat([states[p][0][0], torch.stack([c[p], i[p]])]) @ lstm.gates[1] + lstm.bias[1]
            c[p] = f[p].sigmoid() * c[p] - i[p].sigmoid() * g[p]
    return (call(lstm.net, named(c), episode.query_x) - episode.query_y).square().mean()


def test_all_weights_at_once_are_one_weight_at_a_time_and_so_is_the_meta_gradient():
    lstm, episode = of_sinusoids(steps=3, hidden=4, rate=0.1), sinusoids().task(0)
    with torch.no_grad():
        lstm.gates.mul_(30)                        # so that every part of the gates tells
    fast, wanted = lstm.loss(episode), slow(lstm, episode, 3)
    torch.testing.assert_close(fast, wanted)
    own = [lstm.gates, lstm.bias, *lstm.net.parameters()]
    for a, b in zip(torch.autograd.grad(fast, own), torch.autograd.grad(wanted, own)):
        torch.testing.assert_close(a, b)


def test_the_start_is_learned_and_every_weight_has_a_rate_of_its_own():
    lstm, episode = of_sinusoids(steps=1), sinusoids().task(0)
    batch_loss(lstm, sinusoids(2)).backward()
    assert all(p.grad.any() for p in lstm.net.parameters())
    with torch.no_grad():
        lstm.gates.mul_(100)
    check_gradient(lstm, lambda: lstm.loss(episode))                        # first order, and says so


def test_of_a_frozen_network_the_head_alone_is_its_cell_state():
    body = learner("protonet", norm="support", width=4).net
    frozen = wrap(body, head=3, example=pictures().task(0).support_x.float(), frozen=True)
    lstm = MetaLSTM(frozen, rate=0.3, steps=2).double()
    state = lstm.adapt(pictures().task(0))
    assert set(state.params) == {"head.weight", "head.bias"}
    assert not torch.equal(state.params["head.weight"], frozen.head.weight)


def test_bad_settings_are_named():
    for rate in (0, 1, -0.5):
        with pytest.raises(ValueError, match=f"between 0 and 1, got {rate}"):
            MetaLSTM(MLP(), rate=rate)
    with pytest.raises(ValueError, match="steps must be at least 1"):
        MetaLSTM(MLP(), steps=0)
    with pytest.raises(ValueError, match="must not be negative"):
        of_sinusoids().adapt(sinusoids().task(0), steps=-1)
