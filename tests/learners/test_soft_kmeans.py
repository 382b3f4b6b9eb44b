"""Soft k-means, with a cluster for distractors, and masked: each against loops over samples, classes and dimensions."""

import copy
import math

import pytest
import torch
from like_every_learner import check_like_every_learner
from scipy.stats import kurtosis, skew
from tiny import WITH_POOL, awake, learner, pictures
from torch import nn

from mlcourse.episode import Episode, EpisodeSampler
from mlcourse.learners import MaskedSoftKMeans, ProtoNet, SoftKMeans, SoftKMeansCluster
from mlcourse.learners.soft_kmeans import (Clusters, assignment, distance_statistics, gaussian_logits, refined,
                                           relative_distances)
from mlcourse.train import train

NAMES = ("soft-kmeans", "soft-kmeans-cluster", "soft-kmeans-masked")
KINDS = (SoftKMeans, SoftKMeansCluster, MaskedSoftKMeans)
WAY = 3


def vectors(seed=0, supports=2, unlabelled=7, queries=4, size=5):
    """An episode of vectors, to be compared as they are."""
    generator = torch.Generator().manual_seed(seed)
    draw = lambda count: 0.7 * torch.randn(count, size, generator=generator, dtype=torch.float64)
    y = torch.arange(WAY).repeat(supports)
    return Episode(draw(len(y)), y, draw(queries), torch.arange(queries) % WAY, draw(unlabelled), torch.arange(WAY),
                   torch.tensor(0))


def on_vectors(kind, **settings):
    return kind(nn.Identity(), **settings).double()


def distance(a, b):
    return sum((float(x) - float(y)) ** 2 for x, y in zip(a, b, strict=True))


def softmax(values):
    top = max(values)
    return [math.exp(v - top) / sum(math.exp(w - top) for w in values) for v in values]


def by_hand(episode, weights_of, centres):
    """One refinement, sample by sample. weights_of(j): what unlabelled sample j weighs in each cluster."""
    size = episode.support_x.shape[1]
    weights = [weights_of(j) for j in range(len(episode.unlabeled_x))]
    moved = []
    for c in range(centres):
        total, count = [0.0] * size, 0.0
        for z, y in zip(episode.support_x.tolist(), episode.support_y.tolist(), strict=True):
            if y == c:
                total, count = [t + v for t, v in zip(total, z, strict=True)], count + 1
        for z, w in zip(episode.unlabeled_x.tolist(), weights, strict=True):
            total, count = [t + w[c] * v for t, v in zip(total, z, strict=True)], count + w[c]
        moved.append([t / count for t in total])
    return torch.tensor(moved, dtype=torch.float64)


def starting(episode):
    """ProtoNet's prototypes."""
    return torch.stack([episode.support_x[episode.support_y == c].mean(0) for c in range(WAY)])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("norm", ["none", "support", "layer"])
def test_without_unlabelled_samples_or_refinements_it_is_protonet_bit_for_bit(name, norm):
    """T1."""
    method = learner(name, norm=norm).float()
    proto = ProtoNet(method.net)
    bare, full = (sampler.sample(2, torch.Generator().manual_seed(3))
                  for sampler in (EpisodeSampler(WITH_POOL.domain, 3, 2, 3), WITH_POOL))
    with torch.no_grad():
        for one, other in ((method.predictions(bare), proto.predictions(bare)),
                           (method.predictions(full, 0), proto.predictions(full))):
            assert torch.equal(one, other)
        assert not torch.allclose(method.predictions(full)[..., :3], proto.predictions(full))


def test_a_mask_of_zero_is_protonet_bit_for_bit():
    """T1: far below every distance, β e^0 = 0 leaves everything out."""
    masked, episode = on_vectors(MaskedSoftKMeans), vectors().to(torch.float32)
    masked.float().mask_net[2].bias.data = torch.tensor([-200.0, 0.0, 20.0])
    assert torch.equal(masked.adapt(episode).means, ProtoNet(nn.Identity()).adapt(episode).means)


def test_soft_kmeans_is_a_loop_over_samples():
    episode = vectors()
    start = starting(episode)
    weights = lambda j: softmax([-distance(episode.unlabeled_x[j], p) for p in start])
    moved = on_vectors(SoftKMeans).adapt(episode).means
    torch.testing.assert_close(moved, by_hand(episode, weights, WAY))
    assert (moved - start).abs().max() > 0.1


def test_labelled_samples_keep_their_class_wherever_they_lie():
    """T3: a support sample in the midst of another class counts for its own, and wholly."""
    episode = vectors(unlabelled=1)
    support = episode.support_x.clone()
    support[0] = support[1] + 1e-3                  # of class 0, beside one of class 1
    episode = episode._replace(support_x=support)
    start = starting(episode)
    weights = lambda j: softmax([-distance(episode.unlabeled_x[j], p) for p in start])
    torch.testing.assert_close(on_vectors(SoftKMeans).adapt(episode).means, by_hand(episode, weights, WAY))
    soft = assignment(support, start)
    assert soft[0, 0] < 0.9                         # by its distance it would not


def test_half_a_mask_weighs_a_half():
    """T2: not a quarter, which a mask applied twice would give."""
    one_hot, z = torch.eye(2, dtype=torch.float64), torch.tensor([[0.0], [10.0]], dtype=torch.float64)
    unlabelled, half = torch.tensor([[3.0]], dtype=torch.float64), torch.tensor([[0.5, 0.0]], dtype=torch.float64)
    assert refined(z, one_hot, unlabelled, half).tolist() == [[1.0], [10.0]]
    masked, episode = on_vectors(MaskedSoftKMeans), vectors(unlabelled=1)
    masked.mask_net[2].bias.data.zero_()            # β = γ = 1, and the one d̃ is its own mean: m = σ(1 - 1) = 1/2
    masked.mask_net[2].weight.data.zero_()
    start = starting(episode)
    weights = lambda j: [0.5 * w for w in softmax([-distance(episode.unlabeled_x[j], p) for p in start])]
    torch.testing.assert_close(masked.adapt(episode).means, by_hand(episode, weights, WAY))


def test_the_cluster_of_distractors_starts_at_zero_and_moves():
    """T4, with its logits -|·|²/2r² - log r - ½ log 2π."""
    episode, method = vectors(size=2), on_vectors(SoftKMeansCluster, radius=1.5)
    centres = [*starting(episode), torch.zeros(2, dtype=torch.float64)]
    log_density = lambda x, p, r: -distance(x, p) / (2 * r * r) - math.log(r) - 0.5 * math.log(2 * math.pi)
    weights = lambda j: softmax([log_density(episode.unlabeled_x[j], p, r)
                                 for p, r in zip(centres, (1, 1, 1, 1.5), strict=True)])
    state = method.adapt(episode)
    torch.testing.assert_close(state.means, by_hand(episode, weights, WAY + 1), rtol=0, atol=1e-7)
    assert isinstance(state, Clusters) and state.means[-1].abs().min() > 1e-3
    logits = method.predict(state, episode.query_x)
    assert logits.shape == (4, WAY + 1)
    for query, row in zip(episode.query_x, logits, strict=True):
        wanted = [log_density(query, p, r) for p, r in zip(state.means.detach(), (1, 1, 1, 1.5), strict=True)]
        torch.testing.assert_close(row.detach(), torch.tensor(wanted, dtype=torch.float64), rtol=0, atol=1e-7)


def test_against_protonet_the_clusters_halve_distances_and_start_with_a_wide_radius():
    """T4: as in the authors' code, r = 100, learned; in two dimensions the normaliser is that of one."""
    method = SoftKMeansCluster(nn.Identity())
    assert float(method.log_radius.detach().exp()) == pytest.approx(100)
    z, p = torch.tensor([[3.0, 4.0]]), torch.zeros(2, 2)
    logits = gaussian_logits(z, p, torch.tensor([0.0, math.log(100)]))[0]
    assert float(logits[0]) == pytest.approx(-12.5 - 0.5 * math.log(2 * math.pi))
    assert float(logits[1]) == pytest.approx(-0.00125 - math.log(100) - 0.5 * math.log(2 * math.pi))
    method, before = learner("soft-kmeans-cluster"), 100.0
    train(method, method.phases(WITH_POOL, 10, tasks=2, lr=1e-2), progress=False)
    assert abs(float(method.log_radius.detach().exp()) - before) > 1


def test_the_mask_sees_five_statistics_of_relative_distances():
    """T5, against numpy and scipy."""
    episode = vectors(unlabelled=9)
    d = relative_distances(episode.unlabeled_x, starting(episode))
    plain = d.new_tensor([[distance(z, p) for p in starting(episode)] for z in episode.unlabeled_x])
    torch.testing.assert_close(d, plain / plain.mean(0))
    wanted = [[x.min(), x.max(), x.var(), skew(x), kurtosis(x)] for x in d.T.numpy()]
    torch.testing.assert_close(distance_statistics(d), torch.tensor(wanted, dtype=torch.float64))
    masked = on_vectors(MaskedSoftKMeans, seed=3)
    masked.mask_net[2].bias.data.normal_(generator=torch.Generator().manual_seed(0))
    mask = masked.mask(episode.unlabeled_x, starting(episode))
    assert [m.shape for m in masked.mask_net.parameters()] == [(20, 5), (20,), (3, 20), (3,)]
    for c, own in enumerate(distance_statistics(d)):
        hidden = torch.tanh(masked.mask_net[0].weight @ own + masked.mask_net[0].bias)
        log_beta, _, log_gamma = masked.mask_net[2].weight @ hidden + masked.mask_net[2].bias
        torch.testing.assert_close(mask[:, c], torch.sigmoid(log_gamma.exp() * (-d[:, c] + log_beta.exp())))


def test_equal_distances_have_finite_statistics_and_gradients():
    masked, episode = on_vectors(MaskedSoftKMeans), vectors(unlabelled=1)
    same = episode._replace(unlabeled_x=episode.unlabeled_x.expand(4, -1), support_x=episode.support_x.requires_grad_())
    loss = masked.loss(same)
    loss.backward()
    assert torch.isfinite(loss) and torch.isfinite(same.support_x.grad).all()
    torch.testing.assert_close(distance_statistics(torch.ones(4, 1)), torch.tensor([[1.0, 1, 0, 0, -3]]))
    at_the_prototype = relative_distances(torch.zeros(2, 3), torch.zeros(1, 3))
    assert torch.equal(at_the_prototype, torch.zeros(2, 1))


@pytest.mark.parametrize(("kind", "flows"), [*zip(KINDS, (False, True, True), strict=True)])
def test_gradients_flow_through_the_assignments_but_in_plain_refinement(kind, flows):
    """T6: with the assignments held at their values the gradient is the same only where they are detached."""
    episode = vectors()
    method = on_vectors(kind, **({"radius": 1.5} if kind is SoftKMeansCluster else {}))

    def gradient(fixed):
        x = episode.support_x.clone().requires_grad_()
        e = episode._replace(support_x=x)
        if not fixed:
            return torch.autograd.grad(method.loss(e), x)[0]
        still = copy.copy(method)
        if kind is SoftKMeansCluster:
            start = torch.cat([starting(episode), torch.zeros(1, 5, dtype=torch.float64)])
        else:
            start = starting(episode)
        w = method.weights(episode.unlabeled_x, start).detach()
        object.__setattr__(still, "weights", lambda *_: w)
        logits = still.predict(still.adapt(e), episode.query_x)
        return torch.autograd.grad(nn.functional.cross_entropy(logits, episode.query_y), x)[0]

    assert torch.allclose(gradient(False), gradient(True), rtol=0, atol=1e-12) != flows


def test_no_gradient_flows_through_the_statistics():
    """T5: the mask's network is the same function of the samples, whatever it is told of them."""
    masked, episode = on_vectors(MaskedSoftKMeans), vectors()
    for parameter in masked.mask_net.parameters():
        parameter.data.normal_(generator=torch.Generator().manual_seed(1))
    z = episode.unlabeled_x.clone().requires_grad_()
    p = starting(episode)
    told = masked.mask_net(distance_statistics(relative_distances(z.detach(), p))).detach()
    held = torch.sigmoid(told[:, 2].exp() * (told[:, 0].exp() - relative_distances(z, p)))
    ours, wanted = (torch.autograd.grad(m.sum(), z)[0] for m in (masked.mask(z, p), held))
    torch.testing.assert_close(ours, wanted)


@pytest.mark.parametrize("name", NAMES)
def test_the_labels_of_unlabelled_samples_are_never_read(name):
    """T7: an episode has no place for them. Classes named otherwise and a pool in another order change nothing; a
    query's label changes no prediction."""
    method, batch = learner(name, norm="layer").double(), pictures(2, sampler=WITH_POOL)
    poisoned = batch._replace(classes=torch.full_like(batch.classes, -7), domain=torch.full_like(batch.domain, 99),
                              query_y=torch.full_like(batch.query_y, -1), unlabeled_x=batch.unlabeled_x.flip(1))
    with torch.no_grad():
        torch.testing.assert_close(method.predictions(batch), method.predictions(poisoned), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("norm", "engine"), [("support", "stacked"), ("layer", "vmap")])
def test_in_both_engines_it_is_like_every_learner(name, norm, engine):
    method = awake(learner(name, norm=norm)).double()
    assert method.engine == engine
    check_like_every_learner(method, pictures(3, sampler=WITH_POOL))


@pytest.mark.parametrize("name", NAMES)
def test_several_refinements_are_refinements_of_refined_prototypes(name):
    method, episode = learner(name, norm="layer").double(), pictures(sampler=WITH_POOL).task(0)
    with torch.no_grad():
        steps = [method.adapt(episode, count).means[:3] for count in range(4)]
        again = [method.adapt(episode, count).means[:3] for count in (2, 40, 41)]
    moved = [float((b - a).norm()) for a, b in zip(steps, steps[1:], strict=False)]
    assert moved[0] > 0 and torch.equal(again[0], steps[2])
    assert float((again[2] - again[1]).norm()) < 1e-3 * moved[0]        # it settles


def test_what_cannot_be_made():
    with pytest.raises(ValueError, match="refinements must be at least 1, got 0"):
        SoftKMeans(nn.Identity(), refinements=0)
    with pytest.raises(ValueError, match="the radius of the distractors must be a positive, finite number, got 0"):
        SoftKMeansCluster(nn.Identity(), radius=0)
    with pytest.raises(ValueError, match="SoftKMeans classifies, but this episode has no classes"):
        SoftKMeans(nn.Identity()).adapt(vectors()._replace(classes=torch.zeros(0, dtype=torch.int64)))
