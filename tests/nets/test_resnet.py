"""ResNet-12: its size in the papers, the same numbers in every engine, norms with statistics."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mlcourse.episode import Episode
from mlcourse.learners import MAML, ProtoNet
from mlcourse.nets import NORMS, ResNet12, build_net, call, params_of


def episode(side=16, channels=2, tasks=2, way=3):
    g = torch.Generator().manual_seed(0)
    x = lambda: torch.rand(tasks, 2 * way, channels, side, side, generator=g, dtype=torch.float64)
    y = torch.arange(way).repeat(tasks, 2)
    return Episode(x(), y, x(), y, x()[:, :0], torch.arange(way).expand(tasks, way), torch.zeros(tasks, dtype=torch.int64))


def test_it_has_the_size_of_the_papers():
    net = ResNet12(0, 64, side=84, channels=3)
    assert sum(p.numel() for p in net.parameters()) == 12_424_320 and net.size == 640
    assert net(torch.zeros(1, 3, 84, 84)).shape == (1, 640)


def test_it_is_the_sum_of_two_ways_by_torchs_own_layers():
    net = ResNet12(0, 2, "batch", 16, seed=1).double()
    x = torch.rand(4, 1, 16, 16, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    norm = lambda z: F.batch_norm(z, None, None, training=True)
    z = x
    for block in net.blocks:
        body = z
        for i in range(3):
            body = norm(F.conv2d(body, block.convs[i].weight, padding=1))
            body = F.leaky_relu(body, 0.1) if i < 2 else body
        z = F.max_pool2d(F.leaky_relu(body + norm(F.conv2d(z, block.convs[3].weight)), 0.1), 2)
    torch.testing.assert_close(net(x), z.mean((2, 3)), rtol=0, atol=1e-10)


@pytest.mark.parametrize("norm", NORMS)
def test_vmap_gives_what_a_loop_gives(norm):
    batch = episode()
    for learner in (MAML(ResNet12(3, 2, norm, 16, 2), 0.1), ProtoNet(ResNet12(0, 2, norm, 16, 2))):
        learner = learner.double()
        assert learner.engine == "vmap"
        loop = torch.stack([learner.loss(batch.task(i)) for i in range(batch.tasks)])
        torch.testing.assert_close(learner.losses(batch), loop, rtol=0, atol=1e-12)
        own = list(learner.parameters())
        both = [torch.autograd.grad(value.sum(), own) for value in (learner.losses(batch), loop)]
        for mine, theirs in zip(*both, strict=True):
            torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-11)


def test_running_statistics_move_and_are_used():
    net, x = ResNet12(3, 2, "running", 16).double(), episode(channels=1).query_x[0]
    for _ in range(400):
        net.update_running(net.statistics(x))
    torch.testing.assert_close(net(x, net.running_stats()), net(x), rtol=0, atol=1e-10)
    assert len(net.running_stats()) == 16 and net.running_mean15.shape == (20,)


def test_it_is_built_anew_from_its_config():
    net = ResNet12(3, 4, "support", 20, 3, seed=5)
    again = build_net(net.config)
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), again.parameters(), strict=True))
    assert not torch.equal(ResNet12(3, 4, side=20, channels=3, seed=6).head.weight, net.head.weight)
    x = torch.rand(4, 3, 20, 20)
    assert torch.equal(call(net, params_of(again), x), net(x))
    assert all(m.bias is not None for m in ResNet12(0, 2, "none").modules() if isinstance(m, nn.Conv2d))


@pytest.mark.parametrize("make, says", [
    (lambda: ResNet12(5, norm="instance"), "norm must be one of batch, support, running, layer, none, got 'instance'"),
    (lambda: ResNet12(5, side=15), "at least 16×16 pixels, got side 15"),
    (lambda: ResNet12(5, 3), "width must be even"),
    (lambda: ResNet12(5)(torch.zeros(2, 3, 28, 28)), r"reads square pictures \(M, 1, S, S\).* of shape \(2, 3, 28, 28\)"),
])
def test_what_it_cannot_do_is_said(make, says):
    with pytest.raises(ValueError, match=says):
        make()
