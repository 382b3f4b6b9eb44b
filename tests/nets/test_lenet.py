"""LeNet against torch's own layers, and what it refuses."""

import pytest
import torch
import torch.nn.functional as F

from mlcourse.nets import LeNet, build_net, call, features, statistics


def by_torch(net, x, norm):
    """The forward written with torch's functions."""
    def normed(z, layer):
        if norm == "batch":
            return F.batch_norm(z, None, None, layer.gain, layer.shift, training=True, eps=1e-5)
        if norm == "layer":
            return F.group_norm(z, 1, layer.gain, layer.shift, eps=1e-5)
        return z

    for conv, layer in zip(net.convs, net.norms):
        x = F.max_pool2d(F.relu(normed(F.conv2d(x, conv.weight, conv.bias, padding=2), layer)), 2)
    z = normed(F.linear(x.flatten(1), net.hidden.weight, net.hidden.bias)[..., None, None], net.norms[2])
    return F.linear(F.relu(z).flatten(1), net.head.weight, net.head.bias)


@pytest.mark.parametrize("norm", ["batch", "layer", "none"])
def test_it_computes_what_torchs_layers_do(norm):
    net = LeNet(3, 4, norm, 16, 3, seed=1).double()
    x = torch.rand(7, 3, 16, 16, generator=torch.Generator().manual_seed(0)).double()
    assert torch.allclose(net(x), by_torch(net, x, norm), atol=1e-12)
    assert net.size == 100 and features(net, dict(net.named_parameters()), x).shape == (7, 100)


def test_two_tasks_at_once_are_one_after_the_other_and_statistics_can_be_given():
    net = LeNet(3, 2, "batch", 8)
    params = {name: torch.stack([p, 1.1 * p]).detach() for name, p in net.named_parameters()}
    x = torch.rand(2, 5, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    each = [call(net, {name: p[i] for name, p in params.items()}, x[i]) for i in range(2)]
    assert torch.allclose(call(net, params, x), torch.stack(each), atol=1e-6)
    own = dict(net.named_parameters())
    stats = statistics(net, own, x[0])
    assert len(stats) == 3 and torch.allclose(call(net, own, x[0], stats), net(x[0]), atol=1e-5)
    assert torch.allclose(call(net, own, x[0, :1], stats), net(x[0])[:1], atol=1e-5), "a query alone"


def test_the_papers_width_and_its_config():
    net = LeNet(10)
    assert [conv.out_channels for conv in net.convs] == [20, 50] and net.size == 500
    again = build_net(net.config)
    assert all(torch.equal(p, q) for p, q in zip(net.parameters(), again.parameters(), strict=True))
    assert not hasattr(LeNet(0, 2), "head") and LeNet(0, 2)(torch.rand(2, 1, 28, 28)).shape == (2, 50)


@pytest.mark.parametrize(("arguments", "says"), [
    ({"norm": "running"}, "norm must be one of batch, support, layer, none, got 'running'"),
    ({"side": 3}, "at least 4×4 pixels, got side 3"), ({"width": 3}, "width must be even")])
def test_what_it_cannot_be_is_one_sentence(arguments, says):
    with pytest.raises(ValueError, match=says):
        LeNet(10, **arguments)
    with pytest.raises(ValueError, match=r"reads pictures \(M, 1, 28, 28\), got samples of shape \(2, 1, 16, 16\)"):
        LeNet(10)(torch.rand(2, 1, 16, 16))
