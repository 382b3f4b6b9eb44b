import pytest
import torch
import torch.nn.functional as F

from mlcourse.episode import Episode
from mlcourse.learner import batch_loss
from mlcourse.learners import MAML
from mlcourse.nets import MLP, NORMS, Conv4, build_net, call, params_of

X = torch.rand(6, 1, 28, 28, generator=torch.Generator().manual_seed(0))


def reference(net, x):
    """The network written with torch's own layers."""
    for i, (conv, norm) in enumerate(zip(net.convs, net.norms, strict=True)):
        x = conv(x)
        if net.norm in ("batch", "support", "running"):
            x = F.batch_norm(x, None, None, norm.gain, norm.shift, training=True)
        elif net.norm == "layer":
            x = F.group_norm(x, 1, norm.gain, norm.shift)
        x = F.relu(x)
        if net.pool == "max" or net.pool == "early" and i < 2:
            x = F.max_pool2d(x, 2)
    return net.head(x.mean((2, 3)) if net.pool == "stride" else x.flatten(1))


@pytest.mark.parametrize("pool", ["stride", "max", "early"])
@pytest.mark.parametrize("norm", NORMS)
def test_conv4_equals_torchs_layers(norm, pool):
    net = Conv4(5, 8, pool, norm)
    torch.testing.assert_close(net(X), reference(net, X), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("norm", NORMS)
def test_the_meta_gradient_under_vmap_meets_finite_differences(norm):
    """torch's own F.batch_norm fails this: its second derivative is wrong under vmap."""
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(2, 2, 6, 1, 28, 28, generator=generator, dtype=torch.float64)
    y = torch.arange(3).repeat(2).expand(2, 6)
    episodes = Episode(x[0], y, x[1], y, x[0, :, :0], torch.zeros(2, 3, dtype=torch.int64), torch.zeros(2))
    learner = MAML(Conv4(3, 5, norm=norm).double(), lr=0.1)
    parameters = list(learner.parameters())
    u = [torch.randn(p.shape, generator=generator, dtype=torch.float64) for p in parameters]
    along_u = sum((g * d).sum() for g, d in zip(torch.autograd.grad(batch_loss(learner, episodes), parameters), u))
    values = []
    for sign in (1, -2):
        with torch.no_grad():
            for p, d in zip(parameters, u):
                p += sign * 1e-7 * d
        values.append(batch_loss(learner, episodes).item())
    assert along_u.item() == pytest.approx((values[0] - values[1]) / 2e-7, rel=1e-4)


def test_sizes_of_the_papers_networks():
    assert Conv4(5).head.weight.shape == (5, 64)
    assert Conv4(0, pool="max").features(X).shape == (6, 64)
    assert Conv4(0)(X).shape == (6, 64)
    assert Conv4(0, pool="early")(X).shape == (6, 64 * 49) and Conv4(0, pool="early").maps == (64, 7, 7)
    assert sum(p.numel() for p in MLP().parameters()) == 1761
    # 1·64·9 + 3·64·64·9 weights, 4·2·64 norm parameters, 64·5 + 5 of the head: no convolution has a bias
    assert sum(p.numel() for p in Conv4(5).parameters()) == 576 + 110592 + 512 + 325


@pytest.mark.parametrize("norm", NORMS)
def test_a_bias_stands_only_where_no_norm_would_cancel_it(norm):
    assert all((conv.bias is not None) == (norm == "none") for conv in Conv4(5, 4, norm=norm).convs)


def test_given_statistics_decouple_the_samples():
    net = Conv4(5, 8)
    stats = net.statistics(X)
    together = call(net, params_of(net), X, stats)
    alone = torch.cat([call(net, params_of(net), X[i:i + 1], stats) for i in range(6)])
    torch.testing.assert_close(together, alone)
    torch.testing.assert_close(together, net(X))
    assert not torch.allclose(net(X[:1]), together[:1], atol=1e-3)


def test_running_statistics_move_towards_the_batchs():
    net = Conv4(5, 8, norm="running")
    stats = net.statistics(X)
    for _ in range(200):
        net.update_running(stats)
    torch.testing.assert_close(call(net, params_of(net), X, net.running_stats()), net(X), rtol=1e-3, atol=1e-4)


def test_a_seed_fixes_the_weights_and_leaves_the_global_generator_alone():
    state = torch.get_rng_state()
    assert torch.equal(MLP(seed=4).head.weight, MLP(seed=4).head.weight)
    assert not torch.equal(Conv4(5, seed=4).head.weight, Conv4(5, seed=5).head.weight)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_network_is_rebuilt_from_its_config():
    for net in (MLP((2, 3, 1), seed=7), Conv4(3, 4, "max", "layer", seed=2)):
        again = build_net(net.config)
        assert all(torch.equal(a, b) for a, b in zip(net.parameters(), again.parameters(), strict=True))


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="pool must be 'stride', 'max', 'early', got 'mean'"):
        Conv4(5, pool="mean")
    with pytest.raises(ValueError, match="norm must be one of batch, support, running, layer, none, got 'instance'"):
        Conv4(5, norm="instance")
    with pytest.raises(ValueError, match="at least an input and an output size"):
        MLP((3,))
    with pytest.raises(ValueError, match="unknown network 'ResNet'"):
        build_net({"net": "ResNet"})
