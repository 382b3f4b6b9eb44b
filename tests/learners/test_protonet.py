"""ProtoNet as a linear classifier, and what its distances are."""

import torch
import torch.nn.functional as F
from tiny import learner, pictures


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
