"""What is said of networks that torch.func cannot transform, or that cannot compute their samples."""

import copy

import pytest
import torch
from like_every_learner import assert_batch_is_loop
from tiny import PICTURES, SIDE, pictures
from torch import nn
from torch.utils.checkpoint import checkpoint

from mlcourse.learners import ANIL, FOMAML, MAML, JointTraining, ProtoNet, Reptile
from mlcourse.nets import wrap
from mlcourse.train import train


class Sign(torch.autograd.Function):
    """Written in torch's older form."""

    @staticmethod
    def forward(ctx, x):
        return x.sign()

    @staticmethod
    def backward(ctx, g):
        return g


class Part(nn.Module):
    """Features by a middle part of choice."""

    def __init__(self, middle, outputs=3):
        super().__init__()
        self.a, self.b, self.middle = nn.Linear(SIDE * SIDE, 6), nn.Linear(6, outputs), middle
        self.register_buffer("mean", torch.zeros(6))

    def forward(self, x):
        return self.b(self.middle(self, self.a(x.flatten(1))))


def counted(net, h):
    with torch.no_grad():
        net.mean.mul_(0.9).add_(h.mean(0))
    return h - net.mean


def hooked():
    net = Part(lambda net, h: h)
    net.a.register_full_backward_hook(lambda module, given, taken: None)
    return net


OPAQUE = {"function": lambda: Part(lambda net, h: Sign.apply(h)), "hook": hooked, "in place": lambda: Part(counted),
          "checkpoint": lambda: Part(lambda net, h: checkpoint(torch.tanh, h, use_reentrant=False))}
NOT_BY_FUNC = (r"^the method differentiates through the network's own gradient steps by torch.func, which cannot "
               r"transform this Part \(.*\); replace that part of the network, or mlcourse.nets.wrap\(net, head=N, "
               r"frozen=True\) adapts a head on it alone$")


@pytest.mark.parametrize("make", OPAQUE.values(), ids=OPAQUE)
@pytest.mark.parametrize("kind", [MAML, FOMAML, Reptile])
def test_a_network_that_torch_func_cannot_transform_is_named_and_stays_what_it_was(make, kind):
    learner, batch = kind(make()).double(), pictures(2)
    before = copy.deepcopy(learner.state_dict())
    for compute in (learner.losses, learner.predictions, lambda batch: learner.adapt(batch.task(0), 1)):
        with pytest.raises(ValueError, match=NOT_BY_FUNC):
            compute(batch)
    torch.testing.assert_close(copy.deepcopy(learner).state_dict(), before, rtol=0, atol=0)


@pytest.mark.filterwarnings("ignore:torch.vmap cannot compute")
@pytest.mark.parametrize("make", OPAQUE.values(), ids=OPAQUE)
def test_around_such_a_network_a_head_alone_can_be_adapted(make):
    torch.manual_seed(0)
    learner = MAML(wrap(make(), head=3, frozen=True, example=torch.zeros(2, 1, SIDE, SIDE)), 0.5, 2).double()
    net, batch = learner.net, pictures(2)
    if make is OPAQUE["in place"]:
        net.body.middle = lambda net, h: counted(net, h) if net.training else h - net.mean
    assert_batch_is_loop(learner, batch)
    head = nn.Linear(3, 3).double()
    head.load_state_dict(net.head.state_dict())
    whole = MAML(head, 0.5, 2)
    seen = batch._replace(**{name: net.features(getattr(batch, name).flatten(0, 1)).unflatten(0, (2, -1)).detach()
                             for name in ("support_x", "query_x")})
    torch.testing.assert_close(learner.losses(batch), whole.losses(seen))


def scripted():
    return torch.jit.script(nn.Sequential(nn.Flatten(), nn.Linear(SIDE * SIDE, 6), nn.Tanh(), nn.Linear(6, 3)))


@pytest.mark.filterwarnings("ignore:.*torch.jit.script")
def test_a_script_is_not_adapted_but_compared_or_frozen():
    example = {"example": torch.zeros(2, 1, SIDE, SIDE)}
    for net in (scripted(), nn.Sequential(scripted()), wrap(scripted(), 3, **example)):
        with pytest.raises(ValueError, match="MAML adapts the network, but a part .* is a script .*frozen=True"):
            MAML(net)
    for learner in (ProtoNet(scripted()), ProtoNet(wrap(scripted(), **example)),
                    MAML(wrap(scripted(), 3, frozen=True, **example))):
        assert_batch_is_loop(learner.double(), pictures(2))
        assert all(p.is_leaf for p in learner.parameters())


@pytest.mark.filterwarnings("ignore:.*weight_norm")
def test_a_module_that_cannot_be_copied_is_named():
    net = nn.Sequential(nn.Flatten(), nn.utils.weight_norm(nn.Linear(784, 6)))
    with pytest.raises(ValueError, match=r"this Sequential cannot be copied .*use that of torch.nn.utils.parametriz"):
        wrap(net)


def flat(outputs):
    return nn.Sequential(nn.Flatten(), nn.Linear(SIDE * SIDE, outputs))


class Twofold(nn.Module):
    """Returns what `shape` makes of three outputs."""

    def __init__(self, shape):
        super().__init__()
        self.body, self.shape = flat(3), shape

    def forward(self, x):
        return self.shape(self.body(x))


TYPES = r"cannot compute .*; its parameters are {} and the samples float32, so call net.to\(torch.float32\) before"
UNFIT = [(lambda: Twofold(lambda z: (z, z)), r"makes a tuple of \d+ samples; return one tensor"),
         (lambda: Twofold(lambda z: z[:, 0]), r"makes an output of shape \(\d+,\) of \d+ samples; return one tensor"),
         (lambda: Twofold(lambda z: z[:1]), r"makes an output of shape \(1, 3\) of \d+ samples; return one tensor"),
         (lambda: flat(3).double(), TYPES.format("float64")), (lambda: flat(3).half(), TYPES.format("float16")),
         (lambda: wrap(flat(3).double(), 3, example=torch.zeros(2, 1, SIDE, SIDE).double()).double(),
          TYPES.format("float64")),
         (lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * (SIDE - 2) ** 2, 3)),
          r"cannot compute samples of shape \(\d+, 1, .*to have 3 channels.*; pass a network that reads samples")]


@pytest.mark.parametrize(("make", "said"), UNFIT)
@pytest.mark.parametrize("kind", [MAML, ANIL, ProtoNet, Reptile])
def test_a_network_that_cannot_compute_the_samples_is_named(make, said, kind):
    net = make()
    if kind is ANIL:
        net.head = nn.Linear(1, 3)
    learner, batch = kind(net), pictures(2).to(torch.float32)
    with pytest.raises(ValueError, match=f"^this (Wrapped of a )?(Sequential|Twofold.*) {said}") as caught:
        learner.losses(batch)
    assert "\n" not in str(caught.value) and "torch.vmap" not in str(caught.value)


class Root(nn.Module):
    """Takes a root of what may be negative, from the given call on."""

    def __init__(self, start):
        super().__init__()
        self.a, self.start, self.calls = flat(3), start, 0

    def forward(self, x):
        self.calls += 1
        return self.a(x) + (0 if self.calls <= self.start else (x.mean() - 9).sqrt())


@pytest.mark.parametrize(("start", "said"), [
    (0, "at step 0 of meta-train, .* a Root, makes values that are NaN .*; mend the network: the rates are not"),
    (4, "at step [12] of meta-train, .*lower the outer rate, or mend the network"),
])
def test_a_network_that_yields_nan_itself_is_blamed_and_not_the_rates(start, said):
    learner = JointTraining(Root(start))
    with pytest.raises(ValueError, match=f"the loss is nan {said}"):
        learner.refused_by_vmap = True
        train(learner, learner.phases(PICTURES, 3, tasks=2), progress=False)
