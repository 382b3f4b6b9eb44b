"""TENT: what the paper says of a step, what stays as it is, and how it fails on batches of one class."""

import pytest
import torch
from torch import nn

from mlcourse.episode.across import DomainSampler, pixels
from mlcourse.learners import TENT, AdaBN
from mlcourse.learners.tent import affine, batches
from mlcourse.losses.alignment import mean_entropy
from mlcourse.nets import MLP, Conv4, call, wrap
from mlcourse.train import train
from layer_by_layer import by_hand
from tiny import SIDE, patterns

WAY = 3
SAMPLER = DomainSampler([patterns(0, classes=WAY)], 2, 2, unlabeled=4, target=patterns(2, classes=WAY))
AFFINE = {f"norms.{i}.{own}" for i in range(4) for own in ("gain", "shift")}


def episode():
    return SAMPLER.sample(1, torch.Generator().manual_seed(0)).to(torch.float64).task(0)


def small(norm="batch", **settings):
    return TENT(Conv4(WAY, 4, "stride", norm, SIDE, seed=3).double(), **settings)


def theta_of(learner):
    return dict(learner.net.named_parameters())


def slow_entropy(logits):
    """-Σ p log p, picture by picture and class by class."""
    total = 0
    for row in logits:
        p = [torch.exp(v) / sum(torch.exp(w) for w in row) for v in row]
        total = total - sum(q * torch.log(q) for q in p)
    return total / len(logits)


def stepped(learner, phi, x, lr):
    """One step by hand on the gains and shifts, under the statistics of x."""
    phi = {name: p.detach().requires_grad_() for name, p in phi.items()}
    entropy = slow_entropy(by_hand(learner.net, phi, x)[1])
    moving = [name for name in phi if name in AFFINE]
    gradients = torch.autograd.grad(entropy, [phi[name] for name in moving])
    return {**phi, **{name: phi[name] - lr * g for name, g in zip(moving, gradients, strict=True)}}


def test_a_step_is_that_of_the_paper_and_nothing_but_gains_and_shifts_moves():
    learner, e = small(lr=0.3, steps=1), episode()
    want = stepped(learner, theta_of(learner), e.unlabeled_x, 0.3)
    got = learner.adapt(e)
    for name, p in theta_of(learner).items():
        torch.testing.assert_close(got.params[name], want[name])
        assert torch.equal(got.params[name], p) == (name not in AFFINE), name
    stats = by_hand(learner.net, want, e.unlabeled_x)[2]
    torch.testing.assert_close(learner.predict(got, e.query_x), by_hand(learner.net, want, e.query_x, stats)[1])


def test_the_direction_is_minus_the_central_differences_of_the_entropy_of_the_batch():
    learner, e, eps = small(lr=0.5, steps=1), episode(), 1e-6
    phi, theta = learner.adapt(e).params, {name: p.detach() for name, p in theta_of(learner).items()}
    for name in sorted(AFFINE):
        for i in range(4):
            values = []
            for way in (1, -1):
                moved = theta[name].clone()
                moved[i] += way * eps
                values.append(float(slow_entropy(by_hand(learner.net, {**theta, name: moved}, e.unlabeled_x)[1])))
            step = float((phi[name].detach() - theta[name])[i])
            assert step == pytest.approx(-0.5 * (values[0] - values[1]) / (2 * eps), rel=1e-6, abs=1e-9), (name, i)


def test_the_entropy_falls_with_every_step():
    learner, e = small(lr=0.1), episode()
    entropies = [mean_entropy(call(learner.net, learner.adapt(e, steps).params, e.unlabeled_x)).item()
                 for steps in range(6)]
    assert all(after < before for before, after in zip(entropies, entropies[1:]))


def test_each_step_takes_the_next_batch_and_the_first_again_after_the_last():
    learner, e = small(lr=0.2, steps=4, batch=4), episode()
    want = theta_of(learner)
    for x in (e.unlabeled_x[:4], e.unlabeled_x[4:8], e.unlabeled_x[8:], e.unlabeled_x[:4]):
        want = stepped(learner, want, x, 0.2)
    for name, p in learner.adapt(e).params.items():
        torch.testing.assert_close(p, want[name])


def test_no_batch_is_smaller_than_asked_unless_there_are_fewer_pictures():
    x = torch.arange(11)
    assert [len(part) for part in batches(x, 4)] == [6, 5] and [len(part) for part in batches(x[:3], 4)] == [3]
    assert torch.equal(torch.cat(batches(x, 4)), x)


def test_labels_and_the_source_do_not_enter_and_without_a_step_it_is_adabn():
    learner, e = small(), episode()
    other = e._replace(support_x=0 * e.support_x, support_y=(e.support_y + 1) % WAY, query_y=0 * e.query_y)
    for a, b in zip(learner.adapt(e).params.values(), learner.adapt(other).params.values(), strict=True):
        assert torch.equal(a, b)
    adabn = AdaBN(learner.net)
    assert torch.equal(learner.predict(learner.adapt(e, 0), e.query_x), adabn.predict(adabn.adapt(e), e.query_x))
    assert torch.equal(learner.loss(e), adabn.loss(e))


def test_online_each_batch_is_answered_before_its_step_so_that_the_first_answers_are_adabns():
    learner, x = small(lr=0.3, batch=4), episode().unlabeled_x
    phi, want = theta_of(learner), []
    for part in (x[:4], x[4:8], x[8:]):
        want.append(by_hand(learner.net, phi, part)[1])
        phi = stepped(learner, phi, part, 0.3)
    torch.testing.assert_close(learner.online(x), torch.cat(want))
    adabn = AdaBN(learner.net)
    e = episode()._replace(unlabeled_x=x[:4])
    torch.testing.assert_close(learner.online(x)[:4], adabn.predict(adabn.adapt(e), x[:4]))
    with torch.no_grad():
        assert torch.equal(learner.online(x), learner.online(x))


def test_gains_and_shifts_are_found_in_any_network():
    assert affine(small().net) == AFFINE and affine(small("layer").net) == AFFINE and not affine(small("none").net)
    assert affine(MLP((4, 3, 2), "batch")) == {"norms.0.gain", "norms.0.shift"}
    body = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.GroupNorm(2, 4), nn.AdaptiveAvgPool2d(1))
    exchanged = {"body.1.gain", "body.1.shift", "body.3.weight", "body.3.bias"}
    assert affine(wrap(body, head=2, exchange_norms=True)) == exchanged
    with pytest.raises(ValueError, match="TENT adapts the network, but body.1 of this Wrapped is a batch norm"):
        TENT(wrap(body, head=2))
    learner, e = small("none"), episode()
    assert all(torch.equal(learner.adapt(e).params[name], p) for name, p in theta_of(learner).items())


def test_settings_that_are_refused():
    with pytest.raises(ValueError, match="rate of the adaptation must be a positive, finite number, got 0"):
        small(lr=0)
    for bad in ({"steps": 0}, {"batch": 0}):
        with pytest.raises(ValueError, match=f"{next(iter(bad))} must be at least 1, got 0"):
            small(**bad)


def test_batches_of_one_class_collapse_where_mixed_ones_do_no_harm():
    """The failure that the paper's successors are about: 40 pictures of each of 3 classes, in batches of 40."""
    source = patterns(0, classes=WAY, per_class=40)
    x, y = pixels((0.3 * source.images + 120).byte()), source.labels
    learner = TENT(Conv4(WAY, 6, "stride", "batch", SIDE, seed=0), lr=0.1, batch=40)
    train(learner, learner.phases(DomainSampler([source], 4, 1, unlabeled=1), 30, tasks=2, lr=1e-2), progress=False)
    mixed = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    share = lambda logits, y: float((logits.argmax(1) == y).float().mean())
    with torch.no_grad():
        e = DomainSampler([source], 4, 1, unlabeled=1).sample(1, torch.Generator().manual_seed(0)).task(0)
        e = e._replace(unlabeled_x=x)
        adabn, tent = (share(learner.predict(learner.adapt(e, steps), x), y) for steps in (0, 10))
        in_turn, sorted_by_class = share(learner.online(x[mixed]), y[mixed]), share(learner.online(x), y)
    assert min(tent, in_turn) > adabn - 0.05 > 0.85
    assert sorted_by_class < 0.5
