"""RelationNet against pairs that are written down one by one, and the mistakes of popular code."""

import math
from functools import cache

import pytest
import torch
import torch.nn.functional as F
from like_every_learner import check_like_every_learner
from tiny import PICTURES, SIDE, learner, pictures
from torch import nn

from mlcourse.episode import EpisodeSampler
from mlcourse.evaluate import evaluate
from mlcourse.learners import RelationNet
from mlcourse.learners.relation import Relation
from mlcourse.nets import Conv4, wrap
from mlcourse.train import train


def of_pair(relation, a, b):
    """g of the maps of one class and one query (C, h, w), concatenated."""
    z = torch.cat([a, b])[None]
    for conv, norm in zip(relation.convs, relation.norms, strict=True):
        z = F.relu(F.group_norm(conv(z), 1, norm.gain, norm.shift))
        z = F.max_pool2d(z, 2) if min(z.shape[2:]) > 1 else z
    return relation.out(F.relu(relation.hidden(z.flatten(1))))[0, 0]


@pytest.mark.parametrize("maps", [(4, 5, 5), (3, 7, 7), (6, 1, 1)])
def test_every_pair_is_a_query_upon_a_class_and_has_its_row_and_column(maps):
    """T5 and T6: maps of both are concatenated, not added; row m, column n is query m with class n."""
    relation, generator = Relation(maps, 5, 0).double(), torch.Generator().manual_seed(1)
    a, b = (torch.randn(n, *maps, generator=generator, dtype=torch.float64) for n in (3, 4))
    found = relation(a, b)
    expected = torch.stack([torch.stack([of_pair(relation, one, query) for one in a]) for query in b])
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
    assert not torch.allclose(found, relation(b, a).T)


def test_a_transposed_reshape_is_chance():
    """T6: the same scores laid out as (class, query) and read as (query, class)."""
    relation, episode = trained(), PICTURES.sample(50, torch.Generator().manual_seed(5))
    with torch.no_grad():
        right = relation.predictions(episode)
    wrong = right.mT.reshape(right.shape)
    share = lambda scores: float((scores.argmax(-1) == episode.query_y).float().mean())
    assert share(right) > 0.6 and abs(share(wrong) - 1 / 3) < 0.1


def test_shots_are_summed_as_in_the_paper():
    """T5: every support sample twice gives maps twice as large, where a mean would not change."""
    relation, proto = (learner(name, norm="layer").double() for name in ("relation", "protonet"))
    episode = pictures().task(0)
    twice = episode._replace(support_x=episode.support_x.repeat(2, 1, 1, 1), support_y=episode.support_y.repeat(2))
    torch.testing.assert_close(relation.adapt(twice).maps, 2 * relation.adapt(episode).maps)
    torch.testing.assert_close(proto.adapt(twice).means, proto.adapt(episode).means)


def test_the_loss_is_the_squared_error_to_one_hot_labels_and_scores_of_0_are_the_share_of_right_pairs():
    relation, episode = learner("relation", norm="layer").double(), pictures().task(0)
    scores = relation.predict(relation.adapt(episode), episode.query_x)
    errors = [(torch.sigmoid(scores[m, n] - math.log(2)) - float(episode.query_y[m] == n)) ** 2 for m in range(9) for n in range(3)]
    torch.testing.assert_close(relation.loss(episode), sum(errors) / 27)


@cache
def trained():
    """RelationNet after 60 steps."""
    relation = learner("relation", norm="layer")
    train(relation, relation.phases(PICTURES, 60, tasks=2, lr=3e-3), progress=False)
    return relation.eval()


def test_the_authors_start_far_from_the_share_of_right_pairs_is_behind_after_some_steps():
    """T7: their last bias of 1 lets r start near 0.73; here it starts at 1/N."""
    losses = {}
    for start in (1 / 3, 0.73):
        relation = learner("relation", norm="layer")
        if start != 1 / 3:
            nn.init.constant_(relation.relation.out.bias, math.log(start / (1 - start)) + math.log(2))
        records = train(relation, relation.phases(PICTURES, 10, tasks=2, lr=3e-3), progress=False)
        losses[start] = [record["loss"] for record in records]
        assert losses[start][0] == pytest.approx((2 * start**2 + (1 - start) ** 2) / 3, rel=0.05)
    assert losses[0.73][0] > 1.4 * losses[1 / 3][0] and sum(losses[0.73]) > sum(losses[1 / 3])


SEEDS = range(8)


def seeded(seed):
    """An untrained RelationNet of this seed."""
    return RelationNet(Conv4(0, 6, "early", "layer", SIDE, seed), seed=seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_at_the_start_every_hidden_unit_hears_of_every_pair_and_every_parameter_has_a_gradient(seed):
    """A unit that is off for all pairs never learns, and with all of them off nothing does but the last bias."""
    relation, off = seeded(seed), []
    relation.relation.hidden.register_forward_hook(lambda module, given, made: off.append(float((made <= 0).sum())))
    relation.loss(PICTURES.sample(1, torch.Generator().manual_seed(seed)).task(0)).backward()
    assert sum(off) == 0
    assert all(float(p.grad.abs().max()) > 0 for p in relation.parameters())
    assert bool((relation.relation.hidden.weight.grad.abs().amax(1) > 0).all())


@pytest.mark.parametrize("seed", SEEDS)
def test_a_dozen_steps_leave_chance_with_every_seed(seed):
    relation = seeded(seed)
    train(relation, relation.phases(PICTURES, 12, tasks=2, lr=5e-3), seed=seed, progress=False)
    assert evaluate(relation.eval(), EpisodeSampler(PICTURES.domain, 3, 1, 3), 60).mean > 1 / 3 + 0.15


def test_training_helps():
    tests = EpisodeSampler(PICTURES.domain, 3, 1, 3)
    untrained = evaluate(learner("relation", norm="layer"), tests, 100)
    assert evaluate(trained(), tests, 100).mean > untrained.mean + 0.1


@pytest.mark.parametrize("net, maps", [
    (lambda: Conv4(0, 6, "early", "layer", SIDE), (6, 4, 4)), (lambda: Conv4(0, 6, "max", "layer", SIDE), (6, 1, 1)),
    (lambda: wrap(nn.Conv2d(1, 4, 5, 3), example=torch.zeros(2, 1, SIDE, SIDE)), (4, 4, 4)),
    (lambda: wrap(nn.Sequential(nn.Flatten(), nn.Linear(SIDE**2, 8), nn.Tanh()), example=torch.zeros(2, 1, SIDE, SIDE)),
     (8, 1, 1))])
def test_the_maps_are_what_the_network_says_and_else_of_one_position(net, maps):
    relation = RelationNet(net(), filters=8, seed=1).double()
    assert relation.maps == maps
    check_like_every_learner(relation, pictures(2))


def test_what_does_not_fit_is_refused():
    net = Conv4(0, 6, "early", "layer", SIDE)
    net.maps = (6, 5, 5)
    with pytest.raises(ValueError, match=r"maps of this Conv4 are \(6, 5, 5\), which is not its 96 features; let net"):
        RelationNet(net)
    with pytest.raises(ValueError, match="filters must be at least 1, got 0"):
        learner("relation", filters=0)
    with pytest.raises(ValueError, match=r"RelationNet needs the size of its features \(net.size\)"):
        RelationNet(nn.Flatten())
