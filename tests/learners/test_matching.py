"""MatchingNet against a loop over the support samples, against ProtoNet, and why its cosines need a scale."""

import math

import pytest
import torch
import torch.nn.functional as F
from like_every_learner import check_like_every_learner
from tiny import PICTURES, learner, pictures
from torch import nn

from mlcourse.episode import Episode, EpisodeSampler
from mlcourse.evaluate import evaluate
from mlcourse.learners import MatchingNet, ProtoNet
from mlcourse.train import train


class UnitProtoNet(ProtoNet):
    """ProtoNet on features of unit length."""

    def embed(self, x, stats=(), tasks=()):
        return F.normalize(super().embed(x, stats, tasks), dim=-1)


def vectors(supports, queries, way=5):
    """An episode of vectors, to be compared as they are."""
    none = torch.zeros(len(queries), dtype=torch.int64)
    return Episode(supports, torch.arange(len(supports)) % way, queries, none, supports[:0], torch.arange(way), none[0])


def test_it_is_the_attention_of_a_loop_over_the_support_samples():
    matching, episode = learner("matching", norm="none", scale=3.0).double(), pictures().task(0)
    z, q = (matching.net.features(x).detach() for x in (episode.support_x, episode.query_x))
    predicted = matching.predict(matching.adapt(episode), episode.query_x).detach()
    scale = float(matching.log_scale.detach().exp())
    for i in range(len(q)):
        scores = [math.exp(scale * float(q[i] @ one / (q[i].norm() * one.norm()))) for one in z]
        expected = [sum(s for s, y in zip(scores, episode.support_y) if y == k) / sum(scores) for k in range(3)]
        torch.testing.assert_close(predicted[i].exp(), torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-10)


@pytest.mark.parametrize("shot", [1, 3])
def test_with_one_shot_it_is_protonet_on_the_sphere_and_with_more_it_is_not(shot):
    """T1: -|a - b|² = 2 cos - 2 at unit length, so a scale of 2 is ProtoNet's; an average of embeddings is not the
    embedding that an average of attention amounts to."""
    body = learner("protonet", norm="support").net
    matching, proto = MatchingNet(body, scale=2.0).double(), UnitProtoNet(body).double()
    episode = EpisodeSampler(PICTURES.domain, 3, shot, 4).sample(1, torch.Generator().manual_seed(3)).to(torch.float64)
    found = [each.predictions(episode).softmax(-1) for each in (matching, proto)]
    assert torch.allclose(*found, rtol=0, atol=1e-6) == (shot == 1)


def test_without_a_scale_no_attention_exceeds_65_per_cent():
    """T3: with five supports, e²/(e² + 4); a query that coincides with its support and is opposite to the others has
    just that."""
    bound = math.exp(2) / (math.exp(2) + 4)
    assert bound == pytest.approx(0.649, abs=1e-3)
    plain, sharp = MatchingNet(nn.Identity(), scale=1.0).double(), MatchingNet(nn.Identity(), scale=100.0).double()
    generator = torch.Generator().manual_seed(0)
    some = vectors(*(torch.randn(n, 3, generator=generator, dtype=torch.float64) for n in (5, 500)))
    best = torch.tensor([[1.0, 0]] + [[-1.0, 0]] * 4, dtype=torch.float64)
    peak = lambda method, episode: float(method.predict(method.adapt(episode), episode.query_x).detach().exp().max())
    assert peak(plain, some) < bound and peak(plain, vectors(best, best[:1])) == pytest.approx(bound)
    assert peak(sharp, some) > 0.99


def test_the_scale_is_learned_and_training_helps():
    matching = learner("matching", scale=2.0)
    tests = EpisodeSampler(PICTURES.domain, 3, 1, 3)
    before = evaluate(matching, tests, 100)
    train(matching, matching.phases(PICTURES, 40, tasks=4, lr=1e-2), progress=False)
    assert matching.log_scale.exp() > 2.05 and evaluate(matching, tests, 100).mean > before.mean + 0.1


@pytest.mark.parametrize("norm, engine", [("support", "stacked"), ("layer", "vmap")])
def test_in_both_engines_it_is_like_every_learner(norm, engine):
    matching = learner("matching", norm=norm).double()
    assert matching.engine == engine
    check_like_every_learner(matching, pictures(3))


def test_a_scale_that_is_not_positive_is_refused():
    with pytest.raises(ValueError, match="the scale of the cosines must be a positive, finite number, got 0"):
        learner("matching", scale=0)
