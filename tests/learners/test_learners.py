"""Each method against its own paper: slow oracles, identities, and the mistakes of popular code."""

import re

import pytest
import torch
import torch.nn.functional as F
from sklearn.linear_model import Ridge
from tiny import CLASSES, NAMES, PICTURES, REGRESSION, SINUSOIDS, learner, patterns, pictures, sampler_for, sinusoids

from mlcourse.engine.descend import descend
from mlcourse.episode import EpisodeSampler
from mlcourse.evaluate import scores
from mlcourse.learners import FOMAML, MAML, MetaSGD, Reptile, build, method
from mlcourse.losses import task_loss
from mlcourse.nets import MLP, call, params_of
from mlcourse.train import outer_step, train

NETWORKS = [name for name in NAMES if method(name).net]
CLASS_METHODS = [name for name in NAMES if name not in REGRESSION]


def gradients(loss, parameters):
    return torch.autograd.grad(loss, list(parameters))


def assert_equal(ours, theirs, atol=1e-12):
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=atol)


def support_and_query(episode):
    return torch.cat([episode.support_x, episode.query_x]), torch.cat([episode.support_y, episode.query_y])


def sgd(net, x, y, lr, steps):
    """Plain SGD from the network's own parameters, by torch.autograd."""
    names, phi = zip(*params_of(net).items(), strict=True)
    phi = [p.detach().requires_grad_() for p in phi]
    for _ in range(steps):
        grads = torch.autograd.grad(task_loss(call(net, dict(zip(names, phi, strict=True)), x), y), phi)
        phi = [(p - lr * g).detach().requires_grad_() for p, g in zip(phi, grads, strict=True)]
    return dict(zip(names, phi, strict=True))


# ---------------------------------------------------------------- Reptile


def test_reptiles_gradient_is_theta_minus_phi():
    net, episode = MLP((1, 6, 1)).double(), sinusoids().task(0)
    phi = sgd(net, *support_and_query(episode), 0.05, 4)
    ours = gradients(Reptile(net, lr=0.05, steps=4).loss(episode), net.parameters())
    assert_equal(ours, [p.detach() - phi[name].detach() for name, p in net.named_parameters()])


def test_reptile_with_one_step_is_joint_sgd():
    net, episode = MLP((1, 6, 1)).double(), sinusoids().task(0)
    x, y = support_and_query(episode)
    joint = gradients(task_loss(net(x), y), net.parameters())
    ours = gradients(Reptile(net, lr=0.05, steps=1).loss(episode), net.parameters())
    assert_equal(ours, [0.05 * g for g in joint])


def test_reptiles_outer_step_moves_a_share_of_the_way_to_the_mean_of_the_solutions():
    net, epsilon = MLP((1, 6, 1)), 0.25
    batch = SINUSOIDS.sample(3, torch.Generator().manual_seed(7))
    solutions = [sgd(net, *support_and_query(batch.task(i)), 0.02, 5) for i in range(3)]
    expected = [(1 - epsilon) * p.detach() + epsilon * torch.stack([phi[name].detach() for phi in solutions]).mean(0)
                for name, p in net.named_parameters()]
    phase, = Reptile(net, lr=0.02, steps=5).phases(SINUSOIDS, 1, tasks=3, lr=epsilon)
    outer_step(phase, 0, torch.Generator().manual_seed(7))
    assert_equal([p.detach() for p in net.parameters()], expected, atol=1e-6)


# --------------------------------------------------------------- Meta-SGD


@pytest.mark.parametrize("order", [1, 2])
def test_the_gradient_of_meta_sgds_rates_is_minus_the_product_of_two_gradients(order):
    """∂L_q/∂α = -∇L_q(θ') ∘ ∇L_s(θ), with second derivatives and without."""
    meta, episode = MetaSGD(MLP((1, 6, 1)), order=order).double(), sinusoids().task(0)
    ours = gradients(meta.loss(episode), meta.rates().values())
    theta = {name: meta.theta()[name] for name in meta.rates()}
    support = gradients(task_loss(call(meta.net, theta, episode.support_x), episode.support_y), theta.values())
    phi = {name: (p - meta.rates()[name] * g).detach().requires_grad_()
           for (name, p), g in zip(theta.items(), support, strict=True)}
    query = gradients(task_loss(call(meta.net, phi, episode.query_x), episode.query_y), phi.values())
    assert_equal(ours, [-q * s for q, s in zip(query, support, strict=True)])
    assert max(g.abs().max() for g in ours) > 1e-3


def test_meta_sgds_gradients_against_finite_differences():
    meta, episode, eps = MetaSGD(MLP((1, 4, 1)), low=0.05, high=0.1, steps=2).double(), sinusoids().task(0), 1e-6
    ours = torch.cat([g.flatten() for g in gradients(meta.loss(episode), meta.parameters())])
    numeric = []
    for p in meta.parameters():
        for i in range(p.numel()):
            values = []
            for move in (eps, -2 * eps):
                p.data.view(-1)[i] += move
                values.append(meta.loss(episode).item())
            p.data.view(-1)[i] += eps
            numeric.append((values[0] - values[1]) / (2 * eps))
    torch.testing.assert_close(ours, torch.tensor(numeric, dtype=torch.float64), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("order", [1, 2])
def test_meta_sgds_rates_change_in_one_step_and_may_become_negative(order):
    meta = MetaSGD(MLP((1, 6, 1)), order=order)
    before = [alpha.detach().clone() for alpha in meta.alpha.values()]
    assert meta.negative_rates() == 0
    phase, = meta.phases(SINUSOIDS, 1, tasks=4, lr=0.5)
    outer_step(phase, 0, torch.Generator().manual_seed(0))
    assert all(not torch.equal(a, b) for a, b in zip(meta.alpha.values(), before, strict=True))
    assert 0 < meta.negative_rates() < 1
    assert min(alpha.min() for alpha in meta.alpha.values()) < -0.3


def test_a_negative_rate_climbs():
    meta, episode = MetaSGD(MLP((1, 6, 1))).double(), sinusoids().task(0)
    theta = meta.theta()
    g = gradients(task_loss(meta.net(episode.support_x), episode.support_y), theta.values())
    with torch.no_grad():
        for alpha in meta.alpha.values():
            alpha.fill_(-0.3)
    phi = meta.adapt(episode).params
    assert_equal(phi.values(), [p + 0.3 * s for p, s in zip(theta.values(), g, strict=True)])


@pytest.mark.parametrize(("low", "high"), [(0, 0.1), (-0.1, 0.1), (0.2, 0.1), (0.1, float("inf")), (float("nan"), 1)])
def test_meta_sgd_refuses_a_range_that_is_none(low, high):
    with pytest.raises(ValueError, match="the rates start in"):
        MetaSGD(MLP(), low, high)


# ------------------------------------------------------ MAML and its kin


@pytest.mark.parametrize("way", [3, 0])
def test_anil_leaves_the_body_as_it_is(way):
    anil = learner("anil", way).double()
    episode = (pictures() if way else sinusoids()).task(0)
    phi, theta = anil.adapt(episode, steps=3).params, anil.theta()
    moved = {name for name in theta if not torch.equal(phi[name], theta[name])}
    assert moved == {"head.weight", "head.bias"}


@pytest.mark.parametrize("kind", [MAML, FOMAML])
def test_a_sum_in_place_of_the_mean_is_a_longer_step(kind):
    """The reduction trap: a sum over the N·K support samples at rate α is the mean at rate α·N·K, and the original
    MAML code, which divides its sum by K alone, takes steps N times longer than ours for the same rate."""
    net, episode = learner("maml").double().net, pictures().task(0)
    way, shot, rate = 3, 2, 0.01
    total = lambda phi: F.cross_entropy(call(net, phi, episode.support_x), episode.support_y, reduction="sum")
    for divisor, factor in ((1, way * shot), (shot, way)):
        summed = descend(lambda phi, d=divisor: total(phi) / d, params_of(net), 2, rate)
        ours = kind(net, lr=rate * factor, steps=2).adapt(episode).params
        assert_equal([ours[name] for name in summed], summed.values())
    one_step = descend(lambda phi: total(phi) / shot, params_of(net), 1, rate)
    same_rate = kind(net, lr=rate).adapt(episode).params
    for name, p in params_of(net).items():
        torch.testing.assert_close(one_step[name] - p, way * (same_rate[name] - p))


def test_nothing_of_one_task_is_kept_for_the_next():
    """No inner optimiser state, no statistics: the same episode gives the same solution whatever came between."""
    batch = pictures(2)
    for name in NETWORKS:
        method_ = learner(name).double()
        first = method_.predict(method_.adapt(batch.task(0)), batch.query_x[0])
        method_.predict(method_.adapt(batch.task(1)), batch.query_x[1])
        assert torch.equal(first, method_.predict(method_.adapt(batch.task(0)), batch.query_x[0])), name


# --------------------------------------------------------------- ProtoNet


def test_protonet_against_a_double_loop():
    proto, episode = learner("protonet", norm="none").double(), pictures().task(0)
    z, q = proto.net.features(episode.support_x), proto.net.features(episode.query_x)
    means = [sum(z[i] for i in range(len(z)) if episode.support_y[i] == k) / 2 for k in range(3)]
    losses = []
    logits = proto.predict(proto.adapt(episode), episode.query_x)
    for i in range(len(q)):
        distances = [sum((q[i, d] - mean[d]) ** 2 for d in range(len(mean))) for mean in means]
        weights = [torch.exp(-d) for d in distances]
        probabilities = torch.stack([w / sum(weights) for w in weights])
        torch.testing.assert_close(logits[i].softmax(0), probabilities, rtol=0, atol=1e-10)
        losses.append(-torch.log(probabilities[episode.query_y[i]]))
    torch.testing.assert_close(proto.loss(episode), torch.stack(losses).mean(), rtol=0, atol=1e-10)


# -------------------------------------------------------------- baselines


def test_the_linear_probe_is_sklearns_ridge():
    probe, episode = learner("probe", norm="support").double(), pictures().task(0)
    stats = probe.net.statistics(episode.support_x)
    z = probe.net.features(episode.support_x, stats).detach()
    penalty = 0.1 * (z - z.mean(0)).square().sum(1).mean().item()
    ridge = Ridge(alpha=penalty).fit(z.numpy(), F.one_hot(episode.support_y, 3).double().numpy())
    expected = ridge.predict(probe.net.features(episode.query_x, stats).detach().numpy())
    ours = probe.predict(probe.adapt(episode), episode.query_x).detach()
    torch.testing.assert_close(ours, torch.from_numpy(expected), rtol=0, atol=1e-7)


@pytest.mark.parametrize("name", ["finetune", "probe", "rfs"])
def test_pretraining_tells_the_global_classes_apart(name):
    tuned, episode = learner(name).double(), pictures().task(0)
    x, y = support_and_query(episode)
    everywhere = torch.tensor([episode.classes[label] for label in y])
    expected = F.cross_entropy(tuned.classifier(tuned.net.features(x)), everywhere)
    torch.testing.assert_close(tuned.loss(episode), expected, rtol=0, atol=1e-12)
    assert tuned.classifier.out_features == CLASSES


def test_fine_tuning_starts_from_a_head_of_zeros_and_moves_every_layer():
    tuned, episode = learner("finetune", norm="none", lr=0.3).double(), pictures().task(0)
    start = tuned.predict(tuned.adapt(episode, steps=0), episode.query_x)
    assert torch.equal(start, torch.zeros(9, 3, dtype=torch.float64))
    weight = torch.zeros(3, tuned.net.size, dtype=torch.float64, requires_grad=True)
    logits = tuned.net.features(episode.support_x) @ weight.T
    g, = torch.autograd.grad(F.cross_entropy(logits, episode.support_y), weight)
    torch.testing.assert_close(tuned.adapt(episode, steps=1).params["new.weight"], -0.3 * g, rtol=0, atol=1e-12)
    phi = tuned.adapt(episode, steps=2).params
    assert all(not torch.equal(phi[name], p) for name, p in tuned.theta().items())


def test_nearest_neighbour_against_a_loop():
    neighbour, episode = learner("neighbour"), pictures().task(0)
    answers = neighbour.predict(neighbour.adapt(episode), episode.query_x).argmax(1)
    for x, answer in zip(episode.query_x, answers, strict=True):
        distances = [(x - s).square().sum().item() for s in episode.support_x]
        assert answer == episode.support_y[distances.index(min(distances))]


@pytest.mark.parametrize("way", [3, 0])
def test_joint_training_descends_the_loss_before_adaptation(way):
    joint, episode = learner("joint", way).double(), (pictures() if way else sinusoids()).task(0)
    x, y = support_and_query(episode)
    torch.testing.assert_close(joint.loss(episode), task_loss(joint.net(x), y), rtol=0, atol=1e-12)
    before = gradients(task_loss(joint.net(x), y), joint.net.parameters())
    assert_equal(gradients(joint.loss(episode), joint.net.parameters()), before)


def test_from_scratch_has_nothing_to_train_and_always_starts_at_the_same_weights():
    scratch, episode = learner("scratch", 0, steps=20).double(), sinusoids().task(0)
    assert not any(p.requires_grad for p in scratch.parameters())
    assert scratch.phases(SINUSOIDS, 10) == [] and train(scratch, [], progress=False) == []
    phi = sgd(MLP((1, 8, 8, 1)).double(), episode.support_x, episode.support_y, scratch.lr, 20)
    ours = scratch.adapt(episode).params
    assert_equal([ours[name] for name in phi], [p.detach() for p in phi.values()])


def test_no_adaptation_uses_the_network_as_it_is():
    none, episode = learner("none", 0).double(), sinusoids().task(0)
    assert torch.equal(none.predict(none.adapt(episode), episode.query_x), none.net(episode.query_x))


def test_pretraining_refuses_more_classes_than_it_has_outputs():
    more = EpisodeSampler(patterns(classes=CLASSES + 1), 3, 2, 3)
    with pytest.raises(ValueError, match="has 9 classes, but the classifier tells 8 apart; make the learner with"):
        learner("finetune").phases(more, 5)


# ------------------------------------------- what holds for every method


@pytest.mark.parametrize(("name", "way"), [(n, 3) for n in NAMES] + [(n, 0) for n in REGRESSION])
def test_the_order_of_the_samples_says_nothing(name, way):
    """Sorted labels give the loss of shuffled ones: nothing hangs on a position, but which samples share a mini-batch
    or a mixture; so Reptile takes them all at once, and nothing is mixed."""
    whole = {"batch": None} if name == "reptile" else {}
    method_, episode = learner(name, way, **whole).double(), (pictures() if way else sinusoids()).task(0)
    if name == "manifold-mixup":
        method_.lam.fill_(1)
    if way:
        s, q = episode.support_y.argsort(), episode.query_y.argsort()
    else:
        s, q = episode.support_x[:, 0].argsort(), episode.query_x[:, 0].argsort()
    in_order = episode._replace(support_x=episode.support_x[s], support_y=episode.support_y[s],
                                query_x=episode.query_x[q], query_y=episode.query_y[q])
    torch.testing.assert_close(method_.loss(in_order), method_.loss(episode), rtol=0, atol=1e-10)
    predictions = method_.predict(method_.adapt(episode), episode.query_x)
    again = method_.predict(method_.adapt(in_order), in_order.query_x)
    torch.testing.assert_close(again, predictions[q], rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", ["protonet", "r2d2", "neighbour", "probe", "rfs", "finetune"])
def test_other_names_for_the_classes_permute_the_answers(name):
    """True of methods without a head of their own for each label; a meta-trained head has an order, and so has one that
    starts from random weights."""
    method_, episode = learner(name).double(), pictures().task(0)
    new = torch.tensor([2, 0, 1])
    renamed = episode._replace(support_y=new[episode.support_y], query_y=new[episode.query_y],
                               classes=episode.classes[new.argsort()])
    before = method_.predict(method_.adapt(episode), episode.query_x)
    after = method_.predict(method_.adapt(renamed), renamed.query_x)
    torch.testing.assert_close(after[:, new], before, rtol=0, atol=1e-10)
    torch.testing.assert_close(method_.loss(renamed), method_.loss(episode), rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", CLASS_METHODS)
def test_a_classifier_refuses_regression(name):
    method_, episode = learner(name).double(), sinusoids().task(0)
    for call_ in (method_.adapt, method_.loss):
        with pytest.raises(ValueError, match="classifies, but this episode has no classes; for regression use"):
            call_(episode)
    says = f"{re.escape(name)} needs classes, so it cannot fit sinusoids; choose one of maml"
    with pytest.raises(ValueError, match=says):
        build(method(name), way=0)


@pytest.mark.parametrize("name", [n for n in NAMES if method(n).net == "headed"])
def test_a_head_for_another_number_of_classes_is_told(name):
    five = EpisodeSampler(patterns(), 5, 1, 2).sample(1, torch.Generator().manual_seed(0)).task(0)
    method_ = learner(name)
    for call_ in (method_.adapt, method_.loss):
        with pytest.raises(ValueError, match="has 3 outputs, but the episode has 5 classes; make a network for 5, or"):
            call_(five)


def test_making_a_learner_leaves_the_global_generator_alone():
    state = torch.get_rng_state()
    for name in NAMES:
        learner(name)
    assert torch.equal(torch.get_rng_state(), state)


def test_an_unknown_method_is_refused_with_the_names_that_are_known():
    with pytest.raises(ValueError, match=r"unknown method 'mamal'; known are maml, fomaml, anil, reptile"):
        method("mamal")


# ------------------------------------------------------------------ norms


@pytest.mark.parametrize("name", NETWORKS)
def test_norm_support_predicts_with_the_statistics_of_the_support_set(name):
    method_, episode = learner(name, norm="support").double(), pictures().task(0)
    state = method_.adapt(episode)
    params = getattr(state, "params", method_.theta())
    weight = (method_.body(params) if name == "lora" else params)["convs.0.weight"]
    first = F.conv2d(episode.support_x, weight, stride=2 if method_.net.pool == "stride" else 1, padding=1)
    torch.testing.assert_close(state.stats[0][0], first.mean((0, 2, 3)), rtol=0, atol=1e-12)
    torch.testing.assert_close(state.stats[0][1], first.var((0, 2, 3), correction=0), rtol=0, atol=1e-12)
    others = method_.adapt(episode._replace(query_x=torch.zeros_like(episode.query_x)))
    assert torch.equal(method_.predict(others, episode.query_x), method_.predict(state, episode.query_x))


@pytest.mark.parametrize("name", NETWORKS)
def test_norm_running_learns_its_statistics_outside_vmap_and_uses_them_in_eval_mode(name):
    method_ = learner(name, norm="running")
    fresh = [s.clone() for s in (method_.net.running_mean, method_.net.running_var)]
    phases = method_.phases(sampler_for(name), 3, tasks=2)
    train(method_, phases, progress=False)
    net, episode = method_.net, PICTURES.sample(1, torch.Generator().manual_seed(0)).task(0)
    if name != "freeze":        # frozen layers keep theirs in training mode, too
        assert method_.adapt(episode).stats == ()
    method_.eval()
    state = method_.adapt(episode)
    for layer in range(4):
        assert torch.equal(state.stats[layer][0], net.running_mean[layer])
        assert torch.equal(state.stats[layer][1], net.running_var[layer])
    if phases:
        assert not torch.equal(net.running_mean, fresh[0]) and not torch.equal(net.running_var, fresh[1])
        assert torch.isfinite(net.running_mean).all() and (net.running_var > 0).all()


@pytest.mark.parametrize(("name", "width", "tasks", "settings"), [("maml", 12, 4, {"lr": 0.4}), ("protonet", 6, 1, {}),
                                                                  ("probe", 6, 1, {})])
def test_norm_running_is_far_above_chance_in_eval_mode(name, width, tasks, settings):
    method_ = learner(name, norm="running", width=width, **settings)
    train(method_, method_.phases(PICTURES, 25, tasks=tasks, lr=1e-2), progress=False)
    assert scores(method_, PICTURES, 50).mean() > 0.6
