"""What the papers of lesson 13 say of each method and of no other: by hand, in float64."""

import copy
import math

import pytest
import torch
import torch.nn.functional as F

from mlcourse.episode import Episode
from mlcourse.episode.across import DomainSampler
from mlcourse.learners import CORAL, DANN, L2SP, MLDG, AdaBN, Adapter
from mlcourse.learners.dann import strength
from mlcourse.learners.l2sp import fine_tuned, penalty
from mlcourse.losses.alignment import domain_loss
from mlcourse.nets import MLP, Conv4
from mlcourse.train import train
from layer_by_layer import by_hand
from tiny import patterns

WAY = 3


def world(seed):
    return patterns(seed, classes=WAY)


SAMPLER = DomainSampler([world(0), world(1)], 2, 2, unlabeled=3, target=world(2))


def episode():
    return SAMPLER.sample(1, torch.Generator().manual_seed(0)).to(torch.float64).task(0)


def small(kind, norm="batch", **settings):
    return kind(Conv4(WAY, 4, "stride", norm, 16, seed=3).double(), **settings).double()


def theta_of(learner):
    return dict(learner.net.named_parameters())


def slow_coral(a, b):
    return (torch.cov(a.T) - torch.cov(b.T)).square().sum() / (4 * a.shape[1] ** 2)


def test_adabn_predicts_with_the_targets_statistics_and_the_sources_weights():
    learner, e = small(AdaBN), episode()
    _, _, stats = by_hand(learner.net, theta_of(learner), e.unlabeled_x)
    want = by_hand(learner.net, theta_of(learner), e.query_x, stats)[1]
    torch.testing.assert_close(learner.predict(learner.adapt(e), e.query_x), want)
    alone = learner.predict(learner.adapt(e), e.query_x[:1])
    torch.testing.assert_close(alone, want[:1])                      # one query is predicted as in a batch
    assert not learner.is_transductive


def test_adabn_trains_on_the_support_labels_alone():
    learner, e = small(AdaBN), episode()
    want = F.cross_entropy(by_hand(learner.net, theta_of(learner), e.support_x)[1], e.support_y)
    torch.testing.assert_close(learner.loss(e), want)
    other = e._replace(query_y=(e.query_y + 1) % WAY, query_x=0 * e.query_x, unlabeled_x=0 * e.unlabeled_x)
    torch.testing.assert_close(learner.loss(other), want)


def test_an_episode_without_unlabelled_pictures_is_refused():
    for kind in (AdaBN, CORAL, DANN, MLDG, Adapter):
        with pytest.raises(ValueError, match=f"{kind.__name__} adapts to unlabelled pictures of the target, but this"):
            small(kind).adapt(episode()._replace(unlabeled_x=episode().unlabeled_x[:0]))
    with pytest.raises(ValueError, match="has 3 outputs, but the episode has 2 classes"):
        small(AdaBN).adapt(episode()._replace(classes=torch.arange(2)))


def test_corals_loss_is_the_sum_of_both_terms():
    learner, e = small(CORAL, weight=7.0), episode()
    z, logits, _ = by_hand(learner.net, theta_of(learner), e.support_x)
    target = by_hand(learner.net, theta_of(learner), e.unlabeled_x)[0]
    torch.testing.assert_close(learner.loss(e), F.cross_entropy(logits, e.support_y) + 7 * slow_coral(z, target))


@pytest.mark.parametrize("progress", [0.0, 0.05, 1.0])
def test_danns_gradients_are_those_of_the_saddle_point(progress):
    """Features descend L_y - λ_p L_d, the classifier L_y, the discriminator L_d (Ganin et al. 2016, eqs. 13 and 14)."""
    learner, e = small(DANN, weight=0.6), episode()
    theta, disc = theta_of(learner), list(learner.discriminator.parameters())
    z, logits, _ = by_hand(learner.net, theta, e.support_x)
    target = by_hand(learner.net, theta, e.unlabeled_x)[0]
    label_loss = F.cross_entropy(logits, e.support_y)
    d_loss = domain_loss(*(learner.discriminator(x)[:, 0] for x in (z, target)))
    lam = 0.6 * (2 / (1 + math.exp(-10 * progress)) - 1)
    names = list(theta)
    want = torch.autograd.grad(label_loss - lam * d_loss, list(theta.values()), retain_graph=True)
    got = torch.autograd.grad(learner.loss(e, progress), list(theta.values()) + disc)
    for name, g, w in zip(names, got, want):
        torch.testing.assert_close(g, w, msg=lambda text, name=name: f"{name}: {text}")
    for g, w in zip(got[len(names):], torch.autograd.grad(d_loss, disc), strict=True):
        torch.testing.assert_close(g, w)


def test_the_strength_of_dann_rises_from_0_to_1():
    assert strength(0.0) == 0 and strength(1.0) == pytest.approx(1, abs=1e-4)
    assert strength(0.1) == pytest.approx((1 - math.exp(-1)) / (1 + math.exp(-1)))
    assert all(strength(i / 50) < strength((i + 1) / 50) for i in range(50))


def test_danns_phase_moves_the_discriminator_and_the_network():
    learner = DANN(Conv4(WAY, 4, "stride", "batch", 16, seed=3))
    before = copy.deepcopy(learner.state_dict())
    train(learner, learner.phases(SAMPLER, 3), progress=False)
    assert all(not torch.equal(before[name], p) for name, p in learner.state_dict().items())


def mldg_value(learner, params, e):
    f = lambda p: F.cross_entropy(by_hand(learner.net, p, e.support_x)[1], e.support_y)
    value = f(params)
    g = torch.autograd.grad(value, list(params.values()), create_graph=True)
    moved = {name: p - learner.inner * g_p for (name, p), g_p in zip(params.items(), g, strict=True)}
    return value + learner.weight * F.cross_entropy(by_hand(learner.net, moved, e.query_x)[1], e.query_y)


def check_by_differences(value, params, gradient, step=1e-5, rtol=2e-5):
    """A directional derivative of value(params) against central differences, along a random direction."""
    generator = torch.Generator().manual_seed(4)
    u = {name: torch.randn(p.shape, generator=generator, dtype=p.dtype) for name, p in params.items()}
    moved = lambda s: {name: (p.detach() + s * step * u[name]).requires_grad_() for name, p in params.items()}
    at = lambda s: float(value(moved(s)).detach())
    numeric = (at(1) - at(-1)) / (2 * step)
    assert sum(float((gradient[name] * u[name]).sum()) for name in params) == pytest.approx(numeric, rel=rtol)


def test_mldgs_loss_and_its_second_order_gradient():
    learner, e = small(MLDG, inner=0.3, weight=0.8), episode()
    theta = theta_of(learner)
    torch.testing.assert_close(learner.loss(e), mldg_value(learner, theta, e))
    got = dict(zip(theta, torch.autograd.grad(learner.loss(e), list(theta.values())), strict=True))
    check_by_differences(lambda p: mldg_value(learner, p, e), theta, got)


def adapter_value(learner, params, rates, log_weight, e):
    """L(φ; queries), φ = θ - α ∘ ∇[L(support) + w CORAL], queries under the target's statistics."""
    z, logits, _ = by_hand(learner.net, params, e.support_x)
    target = by_hand(learner.net, params, e.unlabeled_x)[0]
    inner = F.cross_entropy(logits, e.support_y) + log_weight.exp() * slow_coral(z, target)
    g = torch.autograd.grad(inner, list(params.values()), create_graph=True)
    phi = {name: p - rates[name] * g_p for (name, p), g_p in zip(params.items(), g, strict=True)}
    stats = by_hand(learner.net, phi, e.unlabeled_x)[2]
    return F.cross_entropy(by_hand(learner.net, phi, e.query_x, stats)[1], e.query_y)


def test_the_adapters_loss_and_its_gradients_in_theta_alpha_and_w():
    learner, e = small(Adapter, low=0.05, high=0.2, weight=3.0), episode()
    theta, rates = theta_of(learner), learner.rates()
    torch.testing.assert_close(learner.loss(e), adapter_value(learner, theta, rates, learner.log_weight, e))
    inputs = [*theta.values(), *rates.values(), learner.log_weight]
    got = torch.autograd.grad(learner.loss(e), inputs)
    count = len(theta)
    fixed = {name: a.detach() for name, a in rates.items()}
    w = learner.log_weight.detach()
    check_by_differences(lambda p: adapter_value(learner, p, fixed, w, e), theta, dict(zip(theta, got[:count])))
    check_by_differences(lambda a: adapter_value(learner, theta, a, w, e), fixed, dict(zip(rates, got[count:-1])))
    check_by_differences(lambda a: adapter_value(learner, theta, fixed, a["w"], e), {"w": w}, {"w": got[-1]})


def test_the_adapter_takes_its_steps_at_test():
    learner, e = small(Adapter), episode()
    same = learner.adapt(e, steps=0).params
    assert all(torch.equal(same[name], p) for name, p in theta_of(learner).items())
    assert any(not torch.equal(learner.adapt(e).params[name], p) for name, p in theta_of(learner).items())


def test_the_penalty_of_l2sp_by_hand_and_for_a_batch():
    phi = {"a": torch.tensor([3.0, 1.0]), "b": torch.tensor([[2.0]])}
    theta = {"a": torch.zeros(2), "b": torch.ones(1, 1)}
    assert float(penalty(phi, theta, 0.5)) == pytest.approx(0.25 * (9 + 1 + 1))
    stack = lambda params, other: {name: torch.stack([p, other * p]) for name, p in params.items()}
    batch = penalty(stack(phi, 2), stack(theta, 2), 0.5, 1)
    assert batch.tolist() == pytest.approx([2.75, 11.0])


def quadratic(steps, lr, anchor):
    """An affine network a·x + c with loss (a x + c - y)² on one point, from (1, 0): L2-SP by hand on the 2-vector."""
    x, y, theta = torch.tensor([2.0, 1.0]).double(), 5.0, torch.tensor([1.0, 0.0]).double()
    phi = theta
    for _ in range(steps):
        phi = phi - lr * (2 * (phi @ x - y) * x + anchor * (phi - theta))
    return phi


def test_l2sp_on_a_quadratic_by_hand_and_at_its_fixed_point():
    net = MLP((1, 1), seed=0).double()
    with torch.no_grad():
        net.head.weight.fill_(1.0)
        net.head.bias.zero_()
    one = torch.ones(1, 1, dtype=torch.float64)
    e = Episode(2 * one, 5 * one, one[:0], one[:0], one[:0], torch.empty(0), torch.tensor(0))
    for steps in (1, 3, 400):
        learner = L2SP(net, lr=0.05, steps=steps, anchor=0.5)
        got = learner.adapt(e).params
        phi = torch.stack([got["head.weight"][0, 0], got["head.bias"][0]])
        torch.testing.assert_close(phi, quadratic(steps, 0.05, 0.5))
    # at φ = θ + t x, with |x|² = 5, θ·x = 2 and y = 5: 2 (5 t - 3) + β t = 0, so t = 6 / (10 + β)
    torch.testing.assert_close(phi, torch.tensor([1.0 + 2 * 6 / 10.5, 6 / 10.5]).double())


@pytest.mark.parametrize("anchor", [0.0, 0.4])
def test_fine_tuned_is_plain_descent_under_the_statistics_of_the_labelled_pictures(anchor):
    learner, e = small(AdaBN), episode()
    theta = theta_of(learner)
    phi = {name: p.detach().clone().requires_grad_() for name, p in theta.items()}
    for _ in range(3):
        loss = F.cross_entropy(by_hand(learner.net, phi, e.query_x)[1], e.query_y)
        loss = loss + anchor / 2 * sum((phi[name] - theta[name].detach()).square().sum() for name in phi)
        g = torch.autograd.grad(loss, list(phi.values()))
        phi = {name: (p - 0.1 * g_p).detach().requires_grad_() for (name, p), g_p in zip(phi.items(), g, strict=True)}
    before = {name: p.clone() for name, p in theta.items()}
    one = {name: p[None] for name, p in theta.items()}
    with torch.no_grad():
        got = fine_tuned(learner.net, one, e.query_x, e.query_y, 3, 0.1, anchor)
    for name in theta:
        torch.testing.assert_close(got[name][0], phi[name].detach(), rtol=1e-9, atol=1e-12)
        assert torch.equal(theta[name], before[name])


@pytest.mark.parametrize("kind, bad", [(CORAL, {"weight": 0.0}), (DANN, {"weight": -1.0}), (MLDG, {"inner": math.inf}),
                                       (MLDG, {"weight": math.nan}), (Adapter, {"weight": 0.0}),
                                       (L2SP, {"anchor": 0.0})])
def test_settings_that_are_refused(kind, bad):
    with pytest.raises(ValueError, match="must be a positive, finite number"):
        small(kind, **bad)
