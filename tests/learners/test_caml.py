"""CAML against a sequence for each query written out; the simplex of its labels; order, and frozen features."""

import pytest
import torch
from like_every_learner import check_like_every_learner, check_mixed_labels_leave_chance
from tiny import PICTURES, SIDE, learner, pictures, sinusoids
from torch import nn

from mlcourse.evaluate import evaluate
from mlcourse.learners import CAML
from mlcourse.learners.caml import simplex
from mlcourse.nets import wrap
from mlcourse.train import train


def frozen():
    """Features of pictures that no training changes."""
    torch.manual_seed(0)
    body = nn.Sequential(nn.Flatten(), nn.Linear(SIDE**2, 8), nn.Tanh())
    return wrap(body, example=torch.zeros(2, 1, SIDE, SIDE), frozen=True)


@pytest.mark.parametrize("way", [2, 3, 5, 20])
def test_labels_are_the_corners_of_a_simplex(way):
    """Of length 1, equally far from each other as far as can be, and 0 on the mean."""
    e = simplex(way).double()
    expected = torch.full((way, way), -1 / (way - 1)).double().fill_diagonal_(1)
    torch.testing.assert_close(e @ e.T, expected, rtol=0, atol=1e-6)
    torch.testing.assert_close(e.sum(0), torch.zeros(way).double(), rtol=0, atol=1e-6)


def test_each_query_is_read_with_the_support_set_in_a_sequence_of_its_own():
    caml, episode = learner("caml", norm="none").double(), pictures().task(0)
    with torch.no_grad():
        caml.unknown.copy_(torch.tensor([0.3, -0.2, 0.1]))
    embed = lambda x: caml.net.features(x[None])[0]
    supports = [torch.cat([embed(x), simplex(3).double()[y]])
                for x, y in zip(episode.support_x, episode.support_y, strict=True)]
    said = caml.predict(caml.adapt(episode), episode.query_x)
    for x, logits in zip(episode.query_x, said, strict=True):
        sequence = torch.stack([torch.cat([embed(x), caml.unknown]), *supports])
        torch.testing.assert_close(caml.transformer(sequence)[0], logits, rtol=0, atol=1e-12)


def test_the_order_of_the_support_set_says_nothing_and_its_labels_do():
    caml, episode = learner("caml", norm="none").double(), pictures().task(0)
    said = lambda e: caml.predict(caml.adapt(e), e.query_x)
    turned = episode._replace(support_x=episode.support_x.flip(0), support_y=episode.support_y.flip(0))
    torch.testing.assert_close(said(turned), said(episode), rtol=0, atol=1e-12)
    assert not torch.allclose(said(turned._replace(support_y=episode.support_y)), said(episode))


def test_it_does_what_every_learner_does_on_a_network_of_ones_own():
    net = wrap(nn.Sequential(nn.Flatten(), nn.Linear(SIDE**2, 6), nn.Tanh()), example=torch.zeros(2, 1, SIDE, SIDE))
    check_like_every_learner(CAML(net, way=3, width=8, heads=2).double(), pictures(2))


def test_on_frozen_features_the_transformer_alone_learns_from_the_context():
    caml = CAML(frozen(), way=3, width=32)
    before = caml.net.body[1].weight.clone()
    caml.tasks_at_once = None
    train(caml, caml.phases(PICTURES, 100, tasks=16, lr=3e-3), progress=False)
    assert torch.equal(caml.net.body[1].weight, before)
    assert evaluate(caml, PICTURES, 100).mean > 0.45
    check_mixed_labels_leave_chance(caml, PICTURES)


def test_another_way_is_refused():
    episode = PICTURES.sample(1, torch.Generator().manual_seed(0)).task(0)
    with pytest.raises(ValueError, match="this CAML has 5 outputs, but the episode has 3 classes; make it with way=3"):
        CAML(frozen()).adapt(episode)
    with pytest.raises(ValueError, match="CAML classifies, but this episode has no classes"):
        CAML(frozen()).adapt(sinusoids().task(0))
    with pytest.raises(ValueError, match="at least 2 classes, got way 0"):
        CAML(frozen(), way=0)
    with pytest.raises(ValueError, match="width a multiple of heads"):
        CAML(frozen(), width=9)
