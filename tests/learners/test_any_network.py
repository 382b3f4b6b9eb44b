"""Every learner around networks that know nothing of the course: the same numbers as a loop over tasks, or one sentence
when the learner is made."""

from collections import OrderedDict
from inspect import signature

import pytest
import torch
from tiny import CLASSES, NAMES, SIDE, few_steps, pictures, sampler_for
from torch import nn

from mlcourse.engine import switch
from mlcourse.learners import MAML, ProtoNet, method
from mlcourse.nets import wrap
from mlcourse.train import train


class ResidualBlock(nn.Module):
    """A residual block with group norms."""

    def __init__(self):
        super().__init__()
        self.first, self.one = nn.Conv2d(1, 4, 3, 2, 1), nn.GroupNorm(2, 4)
        self.second, self.two = nn.Conv2d(4, 4, 3, 1, 1), nn.GroupNorm(2, 4)

    def forward(self, x):
        z = torch.relu(self.one(self.first(x)))
        return torch.relu(z + self.two(self.second(z))).mean((2, 3))


class Rows(nn.Module):
    """A GRU over the rows of a picture."""

    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(SIDE, 6, batch_first=True)

    def forward(self, x):
        return self.gru(x[:, 0])[1][0]


class Attending(nn.Module):
    """A Transformer layer, with layer norms, over the rows of a picture."""

    def __init__(self):
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(SIDE, 2, 8, dropout=0.0, batch_first=True)

    def forward(self, x):
        return self.layer(x[:, 0]).mean(1)


def normed(track):
    return nn.Sequential(nn.Conv2d(1, 4, 3, 2, 1), nn.BatchNorm2d(4, track_running_stats=track), nn.ReLU(),
                         nn.AdaptiveAvgPool2d(2), nn.Flatten())


MODULES = {
    "residual block": lambda: (ResidualBlock(), {}),
    "GRU": lambda: (Rows(), {}),
    "Transformer": lambda: (Attending(), {}),
    "dropout": lambda: (nn.Sequential(nn.Flatten(), nn.Linear(SIDE**2, 6), nn.Tanh(), nn.Dropout(0.5)), {}),
    "frozen batch norm": lambda: (normed(True), {"frozen": True}),
    "exchanged batch norm": lambda: (normed(True), {"exchange_norms": True}),
}
LEARNERS = [name for name in NAMES if method(name).net]


def around(name, module, way=3):
    """The method on a small module and with few steps, in float64."""
    entry = method(name)
    head = way if entry.net == "headed" else 0
    given = dict(entry.settings or {})
    known = signature(entry.kind).parameters
    given |= {what: value for what, value in (("train_classes", CLASSES), ("way", way)) if what in known}

    def made(settings):
        torch.manual_seed(0)
        body, options = MODULES[module]()
        net = wrap(body, head, example=torch.zeros(2, 1, SIDE, SIDE), **options).double()
        return entry.kind(net, **settings).double()

    return made(few_steps(made(given).config))


@pytest.mark.filterwarnings("ignore:torch.vmap cannot compute")
@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("name", LEARNERS)
def test_a_batch_is_what_a_loop_computes_and_a_step_trains(name, module):
    sampler = sampler_for(name)
    learner, batch = around(name, module).eval(), pictures(3, sampler=sampler)
    loop = switch.in_a_loop(learner.loss, batch)
    torch.testing.assert_close(learner.losses(batch), loop, rtol=0, atol=1e-10)
    with torch.no_grad():
        both = learner.predictions(batch), torch.stack([learner.predict(learner.adapt(e), e.query_x) for e in batch.parts(1)
                                                        for e in [e.task(0)]])
        torch.testing.assert_close(*both, rtol=0, atol=1e-9)
        episode = batch.task(0)
        state = learner.adapt(episode)
        one = torch.cat([learner.predict(state, x[None]) for x in episode.query_x]) if not learner.is_transductive else None
    if one is not None:
        torch.testing.assert_close(one, both[0][0], rtol=0, atol=1e-9)
    trained = [name for name, p in learner.named_parameters() if p.requires_grad]
    if not trained and name != "scratch":
        with pytest.raises(ValueError, match="has no parameter to train: its network is frozen"):
            learner.phases(sampler, 2, tasks=2)
        return
    learner.float()
    if not learner.phases(sampler, 2):         # what is made anew for each task has nothing to train before
        return
    before = {name: p.detach().clone() for name, p in learner.named_parameters()}
    train(learner, learner.phases(sampler, 2, tasks=2), seed=0, progress=False)
    moved = {name for name, p in learner.named_parameters() if not torch.equal(p, before[name])}
    assert moved and moved <= set(trained)


@pytest.mark.parametrize("module", ["residual block", "GRU", "Transformer", "frozen batch norm"])
def test_the_meta_gradient_is_that_of_finite_differences(module):
    from like_every_learner import check_gradient

    learner, batch = around("maml", module), pictures(2)
    check_gradient(learner, lambda: learner.losses(batch).mean())


def test_a_frozen_parameter_is_not_adapted():
    learner = around("maml", "frozen batch norm")
    assert set(learner.adapt(pictures().task(0)).params) == {"head.weight", "head.bias"}
    half = MAML(wrap(ResidualBlock(), 3, example=torch.zeros(2, 1, SIDE, SIDE)), lr=0.1)
    half.net.body.first.requires_grad_(False)
    assert not any(name.startswith("body.first") for name in half.adapt(pictures().to(torch.float32).task(0)).params)


@pytest.mark.parametrize("track", [True, False])
@pytest.mark.parametrize("name", ["maml", "fomaml", "anil", "meta-sgd", "reptile", "finetune"])
def test_a_batch_norm_that_would_adapt_is_refused_with_the_remedy(name, track):
    entry = method(name)
    net = wrap(normed(track), 3 if entry.net == "headed" else 0, example=torch.zeros(2, 1, SIDE, SIDE))
    given = {"train_classes": CLASSES} if name == "finetune" else {}
    with pytest.raises(ValueError, match=r"body.1 of this Wrapped is a batch norm: .*use a GroupNorm, or .*exchange_norms"):
        entry.kind(net, **given)


def test_a_batch_norm_in_training_is_declared():
    learner = ProtoNet(wrap(normed(True), example=torch.zeros(2, 1, SIDE, SIDE)))
    assert learner.is_transductive and not learner.eval().is_transductive
    assert ProtoNet(normed(False).eval()).is_transductive


def with_a_head():
    return nn.Sequential(OrderedDict(body=nn.Flatten(), head=nn.Linear(SIDE * SIDE, 3)))


@pytest.mark.parametrize("name, net, says", [
    ("maml", lambda: (lambda x: x), "MAML needs a network, a torch.nn.Module, got function; pass the module itself"),
    ("anil", ResidualBlock, r"ANIL needs a linear layer called head, which this ResidualBlock does not have; .*nets.wrap"),
    ("simclr", ResidualBlock, r"SimCLR needs the size of its features \(net.size\), which this ResidualBlock does not have"),
    ("finetune", ResidualBlock, r"FineTune needs the size of its features"),
    ("meta-transfer", ResidualBlock, r"MetaTransfer needs its features \(net.features\)"),
    ("protonet", lambda: with_a_head(), r"ProtoNet compares features, but this Sequential has a head and no method features"),
    ("r2d2", lambda: with_a_head(), "R2D2 compares features, .*; write one, or pass the network without its head"),
    ("maml", lambda: nn.Sequential(nn.Flatten(), nn.LazyLinear(3)), "1 is a LazyLinear that has no weights .*; call the "
     "module once"),
    ("protonet", lambda: nn.LazyConv2d(3, 3), "the module is a LazyConv2d that has no weights before it sees samples"),
    ("maml", lambda: ResidualBlock().requires_grad_(False), "every parameter of this ResidualBlock is frozen; .*head=N"),
])
def test_what_a_network_lacks_is_said_when_the_learner_is_made(name, net, says):
    entry = method(name)
    given = {"train_classes": CLASSES} if "train_classes" in entry.kind.__init__.__code__.co_varnames else {}
    with pytest.raises(ValueError, match=says) as told:
        entry.kind(net(), **given)
    assert "\n" not in str(told.value)
