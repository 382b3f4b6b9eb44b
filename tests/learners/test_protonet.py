"""ProtoNet as a linear classifier, and what its distances are."""

from itertools import permutations

import pytest
import torch
import torch.nn.functional as F
from tiny import PICTURES, learner, pictures

from mlcourse.engine import switch


def test_protonet_is_a_linear_classifier():
    """T2: W = 2c and b = -|c|² give its probabilities and its loss; |f(x)|² is the same for all classes."""
    proto, episode = learner("protonet", norm="none").double(), pictures().task(0)
    c, z = proto.adapt(episode).means, proto.net.features(episode.query_x)
    linear = F.linear(z, 2 * c, -c.square().sum(1))
    logits = proto.predict(proto.adapt(episode), episode.query_x)
    torch.testing.assert_close(logits.softmax(1), linear.softmax(1), rtol=0, atol=1e-10)
    torch.testing.assert_close(proto.loss(episode), F.cross_entropy(linear, episode.query_y), rtol=0, atol=1e-10)
    assert not torch.allclose(linear.softmax(1), F.linear(z, c, -c.square().sum(1)).softmax(1), atol=1e-3)


def test_the_distance_is_squared():
    """T4: features twice as long have logits four times as large; of distances they would be twice as large."""
    proto, episode = learner("protonet", norm="none").double(), pictures().task(0)
    logits = proto.predict(proto.adapt(episode), episode.query_x)
    with torch.no_grad():
        proto.net.convs[3].weight.mul_(2)
        proto.net.convs[3].bias.mul_(2)
    torch.testing.assert_close(proto.predict(proto.adapt(episode), episode.query_x), 4 * logits)


def one_of_each(episode, support, query):
    """The episode whose support and query set are the samples of each class with these numbers."""
    x, y = episode.samples()
    place = lambda number: [int((y == k).nonzero()[number]) for k in range(episode.way)]
    labels = torch.arange(episode.way)
    return episode._replace(support_x=x[place(support)], support_y=labels, query_x=x[place(query)], query_y=labels)


@pytest.mark.parametrize("norm", ["batch", "layer", "none"])
def test_the_loss_in_turn_is_the_mean_over_all_episodes_with_one_sample_of_each(norm):
    proto, batch = learner("protonet", norm=norm).double(), pictures(2)
    samples = len(batch.task(0).samples()[1]) // batch.way
    slow = torch.stack([torch.stack([proto.loss(one_of_each(batch.task(t), *pair))
                                     for pair in permutations(range(samples), 2)]).mean() for t in range(2)])
    torch.testing.assert_close(switch.in_a_loop(proto.loss_in_turn, batch), slow, rtol=1e-10, atol=0)
    torch.testing.assert_close(proto.loss_in_turn(batch), slow, rtol=1e-10, atol=0)
    torch.testing.assert_close(switch.over_tasks(proto, proto.loss_in_turn, batch), slow, rtol=1e-10, atol=0)
    assert proto.engine == ("vmap" if norm == "layer" else "stacked")
    ours, theirs = (torch.autograd.grad(loss.sum(), list(proto.net.parameters()), retain_graph=True)
                    for loss in (proto.loss_in_turn(batch), slow))
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-11)


def test_samples_in_turn_are_equally_many_of_each_class():
    proto, episode = learner("protonet").double(), pictures().task(0)
    with pytest.raises(ValueError, match="equally many of each class, 2 or more; got 14 of 3 classes"):
        proto.loss_in_turn(episode._replace(query_x=episode.query_x[1:], query_y=episode.query_y[1:]))
    one = one_of_each(episode, 0, 0)
    with pytest.raises(ValueError, match="equally many of each class, 2 or more; got 3 of 3 classes"):
        proto.loss_in_turn(one._replace(query_x=one.query_x[:0], query_y=one.query_y[:0]))
    other = (episode.query_y + (torch.arange(len(episode.query_y)) == 0)) % episode.way
    assert proto.loss_in_turn(episode._replace(query_y=other)).isnan()


@pytest.mark.parametrize("name", ["nca", "r2d2", "soft-kmeans"])
def test_a_method_with_a_loss_of_its_own_is_not_trained_in_turn(name):
    with pytest.raises(ValueError, match="in_turn trains by ProtoNet's loss, and .* has one of its own; leave it out"):
        learner(name).phases(PICTURES, 1, in_turn=True)


def test_with_the_norm_of_the_support_set_an_episode_is_one():
    usual, turned = (learner("protonet", norm="support").phases(PICTURES, 1, in_turn=in_turn)[0]
                     for in_turn in (False, True))
    batch = pictures(1).to(torch.float32)
    assert torch.equal(usual.loss(batch, 0), turned.loss(batch, 0))
    proto = learner("protonet")
    assert torch.equal(proto.phases(PICTURES, 1, in_turn=True)[0].loss(batch, 0), proto.loss_in_turn(batch.task(0)))
