"""What a task keeps of a pretrained network: frozen layers, the probe before fine-tuning, two penalties, low rank."""

import pytest
import torch
import torch.nn.functional as F
from tiny import CLASSES, SIDE, learner, patterns, pictures
from torch import nn

from mlcourse.learners import L2SP, LPFT, FineTune, Freeze, LoRA
from mlcourse.learners.l2sp import fine_tuned, penalty
from mlcourse.nets import MLP, Conv4, LeNet, ResNet12, features, params_of, wrap

LAYERS = 4


def body(norm="layer", seed=0):
    return Conv4(0, 6, "max", norm, SIDE, seed).double()


def episode():
    return pictures().task(0)


def descended(net, x, y, start, moving, steps, lr, extra=lambda phi: 0.0):
    """φ of a network with a head after gradient steps, by torch.autograd, the slow way."""
    phi = {name: p.detach().clone() for name, p in start.items()}
    for _ in range(steps):
        at = {name: p.requires_grad_() for name, p in phi.items()}
        z = torch.func.functional_call(net, {n: p for n, p in at.items() if not n.startswith("new.")}, (x,))
        loss = F.cross_entropy(F.linear(z, at["new.weight"], at["new.bias"]), y) + extra(at)
        g = torch.autograd.grad(loss, [at[name] for name in moving])
        phi = {name: p.detach() for name, p in at.items()}
        phi |= {name: phi[name] - lr * slope for name, slope in zip(moving, g, strict=True)}
    return phi


def begun(net, size, way=3):
    new = {"new.weight": torch.zeros(way, size).double(), "new.bias": torch.zeros(way).double()}
    return {**{name: p.detach().clone() for name, p in net.named_parameters()}, **new}


def same(a, b, atol=1e-11):
    assert a.keys() == b.keys()
    for name in a:
        torch.testing.assert_close(a[name], b[name], rtol=0, atol=atol, msg=name)


# ------------------------------------------------------------------ frozen at depth d


@pytest.mark.parametrize("depth", range(LAYERS + 1))
def test_exactly_the_layers_above_the_frozen_ones_and_the_head_descend(depth):
    net, e = body(), episode()
    frozen = tuple(f"{kind}.{i}." for i in range(depth) for kind in ("convs", "norms"))
    got = Freeze(net, depth=depth, lr=0.2, steps=3).adapt(e).params
    start = begun(net, net.size)
    moving = [name for name in start if not name.startswith(frozen)]
    same(got, descended(net, e.support_x, e.support_y, start, moving, 3, 0.2))
    for name, p in start.items():
        assert torch.equal(got[name], p) == (name not in moving), name


def test_the_ends_of_the_ladder_are_fine_tuning_and_a_linear_probe():
    """T4. The probe: the head alone on features that are computed once."""
    net, e = body(), episode()
    whole, none = (Freeze(net, depth=d, lr=0.3, steps=5).adapt(e).params for d in (0, LAYERS))
    same(whole, FineTune(net, lr=0.3, steps=5).adapt(e).params, atol=0)
    z = net.features(e.support_x).detach()
    w, b = torch.zeros(3, net.size).double(), torch.zeros(3).double()
    for _ in range(5):
        error = (z @ w.T + b).softmax(1) - F.one_hot(e.support_y, 3)
        w, b = w - 0.3 * error.T @ z / len(z), b - 0.3 * error.mean(0)
    torch.testing.assert_close(none["new.weight"], w)
    torch.testing.assert_close(none["new.bias"], b)


@pytest.mark.parametrize("training", [True, False])
def test_a_frozen_layer_keeps_the_statistics_of_its_norm_in_training_mode_too(training):
    """T2. A layer whose weights stand still but whose statistics follow the batch is not frozen."""
    net, e = body("running"), episode()
    net.update_running(net.statistics(pictures(1, seed=7).task(0).support_x), 1.0)
    before = {name: t.clone() for name, t in net.state_dict().items()}
    frozen, thawed = (Freeze(net, depth=d, lr=0.2, steps=3).train(training) for d in (LAYERS, 0))
    state = frozen.adapt(e)
    assert all(torch.equal(t, before[name]) for name, t in net.state_dict().items())
    for (mean, var), (own_mean, own_var) in zip(state.stats, net.running_stats(), strict=True):
        assert torch.equal(mean, own_mean) and torch.equal(var, own_var)
    z = net.features(e.query_x, net.running_stats())
    new = F.linear(z, state.params["new.weight"], state.params["new.bias"])
    assert torch.equal(frozen.predict(state, e.query_x), new)
    drifting = features(net, params_of(net), e.query_x)            # under the batch's own statistics
    assert not torch.allclose(drifting, z, atol=1e-3)
    assert (thawed.fixed_stats() == ()) == training


@pytest.mark.parametrize("net, count", [(Conv4(0, 4), 4), (MLP((4, 3, 3, 2)), 2), (LeNet(0, 2), 3),
                                        (ResNet12(0, 2), 4)])
def test_the_layers_of_a_network_are_all_of_its_body(net, count):
    assert len(net.layers) == count
    names = [name for name, _ in net.named_parameters() if not name.startswith("head.")]
    found = [[name for name in names if name.startswith(layer)] for layer in net.layers]
    assert all(found) and sorted(sum(found, [])) == sorted(names)


def test_a_wrapped_module_has_its_children_with_parameters_as_layers():
    module = nn.Sequential(nn.Flatten(), nn.Linear(SIDE**2, 8), nn.ReLU(), nn.Linear(8, 4))
    module.register_parameter("scale", nn.Parameter(torch.ones(1)))
    net = wrap(module, example=torch.zeros(2, 1, SIDE, SIDE))
    assert net.layers == (("body.scale", "body.1."), ("body.3.",))
    assert wrap(nn.Flatten(), example=torch.zeros(2, 1, SIDE, SIDE)).layers == (("body.",),)


def test_what_cannot_be_frozen_is_told():
    with pytest.raises(ValueError, match=r"depth, the number of frozen layers, must lie in 0..4 for this Conv4, got 5"):
        Freeze(body(), depth=5)
    strange = wrap(nn.Sequential(nn.Flatten(), nn.Linear(SIDE**2, 8)), example=torch.zeros(2, 1, SIDE, SIDE))
    strange.__class__ = type("Plain", (type(strange),), {"layers": None})
    with pytest.raises(ValueError, match=r"Freeze needs how its parameters' names begin .*\(net.layers\), which this Plain"):
        Freeze(strange)


# ------------------------------------------------------------------ a probe, then everything


def test_lp_ft_fine_tunes_from_the_head_of_the_probe():
    net, e = body(), episode()
    probe = Freeze(net, depth=LAYERS, lr=0.5, steps=20).adapt(e).params
    got = LPFT(net, lr=0.1, steps=4, probe_lr=0.5, probe_steps=20).adapt(e).params
    same(got, descended(net, e.support_x, e.support_y, probe, list(probe), 4, 0.1))


def test_lp_ft_without_a_step_does_not_adapt():
    tuned = LPFT(body()).adapt(episode(), steps=0).params
    assert not tuned["new.weight"].any()


# ------------------------------------------------------------------ L2-SP with a new head


def headed(way=3, norm="layer"):
    return Conv4(way, 6, "max", norm, SIDE).double()


def test_the_two_penalties_by_hand():
    phi = {"a": torch.tensor([3.0, 1.0]), "head.weight": torch.tensor([[2.0]])}
    theta = {"a": torch.tensor([1.0, 1.0]), "head.weight": torch.tensor([[5.0]])}
    assert float(penalty(phi, theta, 0.5, shrink=3.0)) == pytest.approx(0.25 * 4 + 1.5 * 4)
    assert float(penalty(phi, theta, 0.5)) == pytest.approx(0.25 * (4 + 9))
    assert float(penalty({"a": phi["a"]}, theta, 0.5, shrink=3.0)) == pytest.approx(0.25 * 4)


def test_l2sp_descends_both_penalties_and_its_new_head_starts_at_zero():
    net, e = headed(), episode()
    got = L2SP(net, lr=0.2, steps=4, anchor=0.3, shrink=0.7).adapt(e).params
    bare = Conv4(0, 6, "max", "layer", SIDE).double()
    bare.load_state_dict({n: t for n, t in net.state_dict().items() if not n.startswith("head.")})
    start = begun(bare, bare.size)
    weight = lambda name: 0.7 if name.startswith("new.") else 0.3
    extra = lambda at: sum(weight(name) / 2 * (p - start[name]).square().sum() for name, p in at.items())
    expected = descended(bare, e.support_x, e.support_y, start, list(start), 4, 0.2, extra)
    same(got, {name.replace("new.", "head."): p for name, p in expected.items()})


def test_a_strong_penalty_drives_a_new_head_to_zero_and_not_to_where_it_started():
    """T1, first half: the head's start is random, and lr · β = 1, so that one step is enough."""
    net, e = headed(), episode()
    start = {name: p.detach() for name, p in net.named_parameters()}
    assert start["head.weight"].abs().max() > 0.1
    learner = L2SP(net, lr=1e-4, anchor=1.0, shrink=1e4)
    ended = learner.tuned(start, e, 3).params
    assert ended["head.weight"].abs().max() < 1e-3
    anchored = L2SP(net, lr=1e-4, anchor=1e4).tuned(start, e, 3).params        # the mistake: one weight for everything
    assert (anchored["head.weight"] - start["head.weight"]).abs().max() < 1e-3


def test_a_strong_anchor_is_the_linear_probe():
    """T1, second half: what L2-SP predicts tends to what the head alone learns, in proportion to 1 / α."""
    net, e = headed(), episode()
    bare = Conv4(0, 6, "max", "layer", SIDE).double()
    bare.load_state_dict({n: t for n, t in net.state_dict().items() if not n.startswith("head.")})
    probe = Freeze(bare, depth=LAYERS, lr=4e-3, steps=100)
    wanted = probe.predict(probe.adapt(e), e.query_x)
    gaps = []
    for anchor in (10.0, 50.0, 250.0):
        learner = L2SP(net, lr=4e-3, steps=100, anchor=anchor, shrink=1e-9)
        gaps.append(float((learner.predict(learner.adapt(e), e.query_x) - wanted).abs().max()))
    assert gaps[0] > 3 * gaps[1] > 9 * gaps[2] and gaps[2] < 0.01 * float(wanted.abs().max())


def test_settings_of_l2sp_that_are_refused():
    with pytest.raises(ValueError, match="the weight of the new head's penalty must be a positive, finite number"):
        L2SP(headed(), shrink=0.0)


def test_with_a_new_head_a_batch_is_what_a_loop_computes():
    batch = pictures(3)
    l2sp = L2SP(headed(), lr=0.1, steps=3, anchor=0.2, shrink=0.5)
    for i, logits in enumerate(l2sp.predictions(batch)):
        one = batch.task(i)
        torch.testing.assert_close(logits, l2sp.predict(l2sp.adapt(one), one.query_x), rtol=0, atol=1e-10)


def test_fine_tuned_knows_no_new_head_and_anchors_everything():
    net, e = headed(), episode()
    params = {name: p.detach()[None] for name, p in net.named_parameters()}
    got = fine_tuned(net, params, e.support_x, e.support_y, 3, 0.1, 0.4)
    alone = L2SP(net, lr=0.1, steps=3, anchor=0.4).adapt(e).params
    same({name: p[0] for name, p in got.items()}, alone)


# ------------------------------------------------------------------ differences of low rank


def dense():
    """A headless network with a linear layer: LeNet."""
    return LeNet(0, 4, "layer", SIDE).double()


@pytest.mark.parametrize("make", [body, dense])
def test_with_b_at_zero_the_network_is_as_it_was(make):
    net, e = make(), episode()
    lora = LoRA(net, rank=2).double()
    start = lora.start(e)
    assert not any(p.any() for name, p in start.items() if name.startswith("B."))
    assert all(p.any() for name, p in start.items() if name.startswith("A."))
    torch.testing.assert_close(features(net, lora.body(start), e.query_x), net.features(e.query_x), rtol=0, atol=0)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_the_difference_has_the_rank_and_nothing_else_moves(rank):
    net, e = dense(), episode()
    lora = LoRA(net, rank=rank, lr=0.5, steps=4).double()
    phi = lora.adapt(e).params
    merged = lora.body(phi)
    for name, p in net.named_parameters():
        if p.ndim > 1:
            apart = (merged[name] - p).detach().flatten(1)
            assert torch.linalg.matrix_rank(apart, rtol=1e-9) == min(rank, *apart.shape), name
        else:
            assert torch.equal(merged[name], p), name
    assert {name.split(".")[0] for name in phi} == {"A", "B", "new"}


def test_the_weights_with_the_difference_are_a_second_path_beside_the_first():
    """Linear: W x + (s/r) B (A x). Convolution: W * x + (s/r) B (A * x), A as r filters and B as a 1×1 convolution."""
    net, e = dense(), episode()
    lora = LoRA(net, rank=2, scale=3.0, lr=0.5, steps=3).double()
    phi = lora.adapt(e).params
    merged, s = lora.body(phi), 3.0 / 2
    x = e.query_x
    a, b = phi["A.convs.0.weight"], phi["B.convs.0.weight"]
    beside = F.conv2d(F.conv2d(x, a.view(2, 1, 5, 5), padding=2), b[:, :, None, None])
    torch.testing.assert_close(F.conv2d(x, merged["convs.0.weight"], padding=2),
                               F.conv2d(x, net.convs[0].weight, padding=2) + s * beside)
    h = torch.randn(5, net.hidden.in_features, generator=torch.Generator().manual_seed(0)).double()
    a, b = phi["A.hidden.weight"], phi["B.hidden.weight"]
    torch.testing.assert_close(F.linear(h, merged["hidden.weight"]),
                               F.linear(h, net.hidden.weight) + s * (h @ a.T) @ b.T)


def test_its_first_steps_by_hand():
    """B moves by -lr (s/r) (∂L/∂W) Aᵀ; A, whose gradient is Bᵀ(…), not before B does."""
    net, e = body(), episode()
    lora = LoRA(net, rank=2, scale=4.0, lr=0.1).double()
    start = lora.start(e)
    start = {**start, "new.weight": torch.randn(3, net.size, generator=torch.Generator().manual_seed(1)).double()}
    one = lora.tuned(start, e, 1).params
    phi = {**begun(net, net.size), "new.weight": start["new.weight"]}
    moved = descended(net, e.support_x, e.support_y, phi, list(phi), 1, 1.0)
    for name, p in net.named_parameters():
        if p.ndim > 1:
            g = (phi[name] - moved[name]).flatten(1)
            torch.testing.assert_close(one[f"B.{name}"], -0.1 * 2 * g @ start[f"A.{name}"].T)
            assert torch.equal(one[f"A.{name}"], start[f"A.{name}"])


def test_lora_takes_a_body_that_is_frozen_and_seeds_draw_a():
    frozen = body().requires_grad_(False)
    lora, again, other = (LoRA(frozen, seed=seed).double() for seed in (0, 0, 1))
    assert "B.convs.0.weight" in lora.adapt(episode()).params
    a = lambda learner: learner.down["convs/0/weight"]
    assert torch.equal(a(lora), a(again)) and not torch.equal(a(lora), a(other))
    with pytest.raises(ValueError, match="rank must be at least 1, got 0"):
        LoRA(body(), rank=0)
    with pytest.raises(ValueError, match="the scale must be a positive, finite number, got 0"):
        LoRA(body(), scale=0.0)


@pytest.mark.parametrize("name", ["freeze", "lp-ft", "lora"])
def test_their_bodies_are_pretrained_as_that_of_fine_tuning(name):
    one, other = learner(name), learner("finetune")
    e, domain = pictures().to(torch.float32).task(0), patterns()
    assert len(domain.classes) == CLASSES
    assert torch.equal(one.loss(e), other.loss(e))
