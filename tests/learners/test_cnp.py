"""The conditional neural process against its equations, sample by sample; regression, and frozen features."""

import pytest
import torch
from like_every_learner import check_like_every_learner, check_mixed_labels_leave_chance
from tiny import PICTURES, SIDE, learner, pictures, sinusoids
from torch import nn

from mlcourse.evaluate import evaluate
from mlcourse.learners import CNP
from mlcourse.nets import wrap
from mlcourse.train import train


def frozen():
    """Features of pictures that no training changes."""
    torch.manual_seed(0)
    body = nn.Sequential(nn.Flatten(), nn.Linear(SIDE**2, 8), nn.Tanh())
    return wrap(body, example=torch.zeros(2, 1, SIDE, SIDE), frozen=True)


def test_it_is_a_mean_over_the_support_samples_and_a_network_of_each_query():
    cnp, episode = learner("cnp", norm="none").double(), pictures().task(0)
    embed = lambda x: cnp.net.features(x[None])[0]
    r = torch.zeros(3, 64, dtype=torch.float64)
    for x, y in zip(episode.support_x, episode.support_y, strict=True):
        r[y] += 3 * cnp.h(embed(x)) / len(episode.support_y)
    r = r.flatten()
    state = cnp.adapt(episode)
    torch.testing.assert_close(state.r, r, rtol=0, atol=1e-12)
    expected = torch.stack([cnp.g(torch.cat([embed(x), r])) for x in episode.query_x])
    torch.testing.assert_close(cnp.predict(state, episode.query_x), expected, rtol=0, atol=1e-12)


def test_the_order_and_the_number_of_copies_of_the_support_set_say_nothing():
    cnp, episode = learner("cnp", norm="none").double(), pictures().task(0)
    twice = episode._replace(support_x=episode.support_x.flip(0).repeat(2, 1, 1, 1),
                             support_y=episode.support_y.flip(0).repeat(2))
    torch.testing.assert_close(cnp.adapt(twice).r, cnp.adapt(episode).r, rtol=0, atol=1e-12)


def test_r_holds_the_mean_of_each_class_and_zeros_for_one_without_samples():
    cnp, episode = learner("cnp", norm="none").double(), pictures().task(0)
    means = [cnp.h(cnp.net.features(episode.support_x[episode.support_y == k])).mean(0) for k in range(3)]
    torch.testing.assert_close(cnp.adapt(episode).r, torch.cat(means), rtol=0, atol=1e-12)
    two = episode._replace(support_x=episode.support_x[episode.support_y < 2],
                           support_y=episode.support_y[episode.support_y < 2])
    assert not cnp.adapt(two).r[128:].any() and cnp.predict(cnp.adapt(two), episode.query_x).isfinite().all()


def test_in_regression_the_targets_themselves_are_the_labels():
    plain = wrap(nn.Identity(), example=torch.zeros(2, 1))
    cnp, batch = CNP(plain, way=0, width=8).double(), sinusoids(3)
    check_like_every_learner(cnp, batch)
    episode = batch.task(0)
    r = cnp.h(torch.cat([episode.support_x, episode.support_y], -1)).mean(0)
    assert torch.equal(cnp.adapt(episode).r, r) and cnp.predictions(batch).shape == (3, 6, 1)
    with pytest.raises(ValueError, match="this CNP has 0 outputs, but the episode has 3 classes; make it with way=3"):
        cnp.adapt(pictures().task(0))


def test_it_does_what_every_learner_does_on_a_network_of_ones_own():
    net = wrap(nn.Sequential(nn.Flatten(), nn.Linear(SIDE**2, 6), nn.Tanh()), example=torch.zeros(2, 1, SIDE, SIDE))
    check_like_every_learner(CNP(net, way=3, width=8).double(), pictures(2))


def test_on_frozen_features_it_alone_learns():
    cnp = CNP(frozen(), way=3, width=32)
    before = cnp.net.body[1].weight.clone()
    cnp.tasks_at_once = None
    train(cnp, cnp.phases(PICTURES, 100, tasks=16, lr=1e-2), progress=False)
    assert torch.equal(cnp.net.body[1].weight, before)
    assert evaluate(cnp, PICTURES, 100).mean > 0.45
    check_mixed_labels_leave_chance(cnp, PICTURES)


def test_another_way_or_size_is_refused():
    episode = PICTURES.sample(1, torch.Generator().manual_seed(0)).task(0)
    with pytest.raises(ValueError, match="this CNP has 5 outputs, but the episode has 3 classes; make it with way=3"):
        CNP(frozen()).adapt(episode)
    with pytest.raises(ValueError, match="CNP classifies, but this episode has no classes"):
        CNP(frozen()).adapt(sinusoids().task(0))
    with pytest.raises(ValueError, match="at least 2 classes, got way 1"):
        CNP(frozen(), way=1)
    with pytest.raises(ValueError, match="width must be at least 1, got 0"):
        CNP(frozen(), width=0)
