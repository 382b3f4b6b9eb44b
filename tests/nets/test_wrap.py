"""Any module becomes a network of the course, or one sentence says what is missing."""

import pytest
import torch
from torch import nn

from mlcourse.nets import Norm, live_batch_norm, wrap


class Pooled(nn.Module):
    """A module that returns maps."""

    def __init__(self, channels=3):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(channels, 4, 3), nn.BatchNorm2d(4)

    def forward(self, x):
        return torch.relu(self.norm(self.conv(x)))


def test_features_are_flattened_and_a_head_stands_on_them():
    net = wrap(Pooled(), head=5, example=torch.zeros(2, 3, 8, 8), seed=1)
    x = torch.rand(6, 3, 8, 8)
    assert net.size == 4 * 6 * 6 and net.features(x).shape == (6, 144) and net(x).shape == (6, 5)
    torch.testing.assert_close(net(x), net.head(net.features(x)))
    assert wrap(Pooled(), example=x)(x).shape == (6, 144)
    again, other = (wrap(Pooled(), head=5, example=x, seed=seed).head.weight for seed in (1, 2))
    assert torch.equal(net.head.weight, again) and not torch.equal(again, other)


def test_the_module_itself_stays_as_it_is():
    module = Pooled()
    before = {name: t.clone() for name, t in module.state_dict().items()}
    net = wrap(module, head=2, example=torch.rand(2, 3, 8, 8), frozen=True, exchange_norms=True)
    assert all(torch.equal(t, before[name]) for name, t in module.state_dict().items()) and module.training
    assert all(p.requires_grad for p in module.parameters()) and isinstance(module.norm, nn.BatchNorm2d)
    assert isinstance(net.body.norm, Norm)


def test_a_frozen_module_stays_in_eval_mode_and_out_of_training():
    net = wrap(Pooled(), head=2, example=torch.rand(2, 3, 8, 8), frozen=True)
    x = 5 * torch.rand(4, 3, 8, 8)
    running = net.body.norm.running_mean.clone()
    first = net.train().features(x)
    assert torch.equal(first, net.eval().features(x)) and torch.equal(running, net.body.norm.running_mean)
    assert live_batch_norm(net.train()) is None and live_batch_norm(wrap(Pooled(), example=x)) == "body.norm"
    assert [name for name, p in net.named_parameters() if p.requires_grad] == ["head.weight", "head.bias"]


def test_an_exchanged_norm_gives_what_the_batch_norm_gives_in_training():
    module, x = Pooled().double(), torch.rand(6, 3, 8, 8, dtype=torch.float64)
    with torch.no_grad():
        module.norm.weight.uniform_(0.5, 2)
        module.norm.bias.uniform_(-1, 1)
    net = wrap(module, example=x, exchange_norms=True)
    assert net.norm == "batch"
    torch.testing.assert_close(net(x), module.train()(x).flatten(1), rtol=1e-9, atol=1e-9)
    alone = nn.BatchNorm2d(3, affine=False)
    wrapped = wrap(alone, example=x.float(), exchange_norms=True).double()
    torch.testing.assert_close(wrapped(x), alone.double().train()(x).flatten(1), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("module, settings, says", [
    (lambda x: x, {}, "a network is a torch.nn.Module, got function; pass the module itself"),
    (nn.Linear(7, 2), {}, r"cannot compute samples of shape \(2, 1, 28, 28\) .*pass some of the right shape as example="),
    (nn.GRU(28, 4, batch_first=True), {"example": torch.zeros(2, 28, 28)}, "makes tuple of 2 samples; return one tensor"),
    (nn.Flatten(0), {}, r"makes of shape \(1568,\) of 2 samples; return one tensor \(M, d\) of features"),
    (nn.Sequential(nn.Flatten(), nn.Linear(784, 4), nn.BatchNorm1d(4)), {"exchange_norms": True},
     "2 is a BatchNorm1d, and only a BatchNorm2d can be exchanged; use nn.GroupNorm"),
])
def test_what_cannot_be_wrapped_is_said_in_one_sentence(module, settings, says):
    with pytest.raises(ValueError, match=says) as told:
        wrap(module, **settings)
    assert "\n" not in str(told.value)


class Once(nn.Module):
    """Takes its scale of the first samples that it sees."""

    def __init__(self):
        super().__init__()
        self.scale, self.calls = nn.Parameter(torch.ones(784)), 0
        self.register_buffer("ready", torch.tensor(False))

    def forward(self, x):
        x = x.flatten(1)
        if not self.ready:
            self.scale.data = 1 / (x.std(0) + 1e-6)
            self.ready.fill_(True)
        self.calls += 1
        return x * self.scale


@pytest.mark.parametrize("settings", [{}, {"frozen": True}, {"head": 3}])
def test_the_example_leaves_no_trace(settings):
    module = Once()
    net = wrap(module, **settings)
    for one in (module, net.body):
        assert not one.ready and one.calls == 0 and torch.equal(one.scale, torch.ones(784)) and one.training != (
            one is net.body and "frozen" in settings)
    x = torch.rand(4, 1, 28, 28)
    torch.testing.assert_close(net.features(x).std(0), torch.ones(784), rtol=1e-3, atol=1e-3)
