"""The methods of the course, one file each. A method in METHODS takes part in the conformance suite, the arena, the
benchmark and the results table."""

from __future__ import annotations

from inspect import signature
from typing import NamedTuple

from mlcourse.learner import Learner
from mlcourse.learners.adabn import AdaBN
from mlcourse.learners.adapter import Adapter
from mlcourse.learners.anil import ANIL
from mlcourse.learners.baselines import (FineTune, FromScratch, JointTraining, LinearProbe, NearestNeighbour,
                                         NoAdaptation)
from mlcourse.learners.contrastive import SimCLR, SupCon
from mlcourse.learners.coral import CORAL
from mlcourse.learners.daml import DAML
from mlcourse.learners.dann import DANN
from mlcourse.learners.distillation import Distillation, Teacher
from mlcourse.learners.fomaml import FOMAML
from mlcourse.learners.l2sp import L2SP
from mlcourse.learners.maml import MAML
from mlcourse.learners.meta_sgd import MetaSGD
from mlcourse.learners.meta_transfer import MetaTransfer
from mlcourse.learners.mldg import MLDG
from mlcourse.learners.protonet import ProtoNet
from mlcourse.learners.reptile import Reptile
from mlcourse.learners.translator import TranslationSampler, Translator
from mlcourse.learners.two_encoders import TwoEncoders
from mlcourse.nets import MLP, Conv4

__all__ = ["ACROSS_DOMAINS", "ANIL", "AdaBN", "Adapter", "CORAL", "DAML", "DANN", "Distillation", "FOMAML", "FineTune",
           "FromScratch", "JointTraining", "L2SP", "LinearProbe", "MAML", "METHODS", "MLDG", "MetaSGD",
           "MetaTransfer", "Method", "NearestNeighbour", "NoAdaptation", "ProtoNet", "Reptile", "SimCLR", "SupCon",
           "Teacher", "TranslationSampler", "Translator", "TwoEncoders", "build", "method"]


class Method(NamedTuple):
    """A method by its command-line name, with the network it works on and the settings it is trained with.

    kind: its class. net: "headed" (N outputs), "headless" (features) or "" (none, or one that the method makes itself).
    settings, training: arguments of the constructor and of `phases` on images; None where the method knows no classes.
    train_way, train_query: the shape of training episodes where it is not that of the test. test_steps: inner steps at
    test where they are not those of training. sinusoids: (settings, training) in regression, None where the method
    needs classes.
    """

    name: str
    kind: type[Learner]
    net: str
    settings: dict | None
    training: dict | None
    train_way: int | None = None
    train_query: int | None = None
    test_steps: int | None = None
    sinusoids: tuple[dict, dict] | None = None

    def on(self, way: int) -> tuple[dict, dict]:
        """(settings, training) for images of `way` classes, or for sinusoids when way is 0. Raises ValueError where the
        method cannot learn them."""
        if way == 0 and self.sinusoids is None:
            raise ValueError(f"{self.name} needs classes, so it cannot fit sinusoids; choose one of "
                             f"{', '.join(m.name for m in METHODS if m.sinusoids)}")
        if way and self.settings is None:
            raise ValueError(f"{self.name} predicts numbers, so it cannot tell classes apart; choose one of "
                             f"{', '.join(m.name for m in METHODS if m.settings is not None)}")
        return (self.settings, self.training) if way else self.sinusoids


_SINUSOIDS = ({"lr": 0.01}, {"steps": 3000, "tasks": 25, "lr": 1e-2})

METHODS: tuple[Method, ...] = (
    Method("maml", MAML, "headed", {"lr": 0.4}, {"steps": 900, "tasks": 16, "lr": 2e-3}, test_steps=3,
           sinusoids=_SINUSOIDS),
    Method("fomaml", FOMAML, "headed", {"lr": 0.4}, {"steps": 2000, "tasks": 16, "lr": 2e-3}, test_steps=3,
           sinusoids=_SINUSOIDS),
    Method("anil", ANIL, "headed", {"lr": 0.4}, {"steps": 2000, "tasks": 16, "lr": 2e-3}, test_steps=3,
           sinusoids=_SINUSOIDS),
    Method("reptile", Reptile, "headed", {"lr": 0.1, "steps": 8}, {"steps": 2000, "tasks": 5, "lr": 1.0},
           test_steps=50, sinusoids=({"lr": 0.01, "steps": 8}, {"steps": 3000, "tasks": 5, "lr": 1.0})),
    Method("meta-sgd", MetaSGD, "headed", {"low": 0.1, "high": 0.4}, {"steps": 2000, "tasks": 16, "lr": 2e-3},
           sinusoids=({"low": 0.005, "high": 0.02}, {"steps": 3000, "tasks": 25, "lr": 3e-3})),
    Method("meta-transfer", MetaTransfer, "headed", {"low": 0.1, "high": 0.4},
           {"steps": 2000, "tasks": 16, "lr": 2e-3}),
    Method("protonet", ProtoNet, "headless", {}, {"steps": 600, "tasks": 1, "lr": 2e-3}, train_way=30, train_query=5),
    Method("none", NoAdaptation, "headed", {}, {"steps": 500, "tasks": 16, "lr": 1e-3},
           sinusoids=({}, {"steps": 3000, "tasks": 25, "lr": 3e-3})),
    Method("scratch", FromScratch, "headed", {"lr": 0.1, "steps": 20}, {"steps": 1},
           sinusoids=({"lr": 0.01, "steps": 20}, {"steps": 1})),
    Method("joint", JointTraining, "headed", {"lr": 0.1, "steps": 10}, {"steps": 500, "tasks": 16, "lr": 1e-3},
           sinusoids=_SINUSOIDS),
    Method("l2sp", L2SP, "headed", {"lr": 0.1, "steps": 10}, {"steps": 500, "tasks": 16, "lr": 1e-3}, sinusoids=_SINUSOIDS),
    Method("finetune", FineTune, "headless", {}, {"steps": 500, "tasks": 4, "lr": 1e-3}, train_way=32, train_query=1),
    Method("probe", LinearProbe, "headless", {}, {"steps": 500, "tasks": 4, "lr": 1e-3}, train_way=32, train_query=1),
    Method("simclr", SimCLR, "headless", {"views": 0.75}, {"steps": 1000, "tasks": 1, "lr": 4e-3}, train_way=32,
           train_query=1),
    Method("supcon", SupCon, "headless", {"views": 0.5}, {"steps": 1000, "tasks": 1, "lr": 4e-3}, train_way=64,
           train_query=1),
    Method("neighbour", NearestNeighbour, "", {}, {"steps": 1}),
)

# Closed-set methods between a labelled source and a target: they train on episodes of `DomainSampler`, not of one domain,
# so `mlcourse study transfer` runs them and `mlcourse train` does not.
ACROSS_DOMAINS: tuple[Method, ...] = (
    Method("adabn", AdaBN, "headed", {}, {"steps": 300, "tasks": 2, "lr": 2e-3}),
    Method("coral", CORAL, "headed", {}, {"steps": 300, "tasks": 2, "lr": 1e-3}),
    Method("dann", DANN, "headed", {}, {"steps": 300, "tasks": 2, "lr": 1e-3}),
    Method("mldg", MLDG, "headed", {}, {"steps": 300, "tasks": 2, "lr": 1e-3}),
    Method("adapter", Adapter, "headed", {}, {"steps": 300, "tasks": 2, "lr": 1e-3}),
    Method("daml", DAML, "headed", {}, {"steps": 300, "tasks": 2, "lr": 1e-3}),
)


def method(name: str) -> Method:
    """The method of this name. Raises ValueError, listing the names, for any other."""
    for entry in METHODS:
        if entry.name == name:
            return entry
    if any(entry.name == name for entry in ACROSS_DOMAINS):
        raise ValueError(f"{name} learns from a source and a target, not from one domain; run mlcourse study transfer")
    raise ValueError(f"unknown method {name!r}; known are {', '.join(entry.name for entry in METHODS)}")


def build(entry: Method, *, way: int, train_classes: int = 0, norm: str = "batch", seed: int = 0,
          **settings) -> Learner:
    """A new learner of this method: for images of 28×28 and `way` classes, or for sinusoids when way is 0.

    train_classes: the number of training classes, which FineTune, LinearProbe and MetaTransfer tell apart. norm: of the
    network. seed: of its initial weights, and of all that the method itself draws, such as Meta-SGD's rates. settings:
    constructor arguments that replace the method's own.
    Raises what `Method.on` and the constructors raise.
    """
    settings = {**entry.on(way)[0], **settings}
    if issubclass(entry.kind, (FineTune, MetaTransfer)):
        settings["train_classes"] = train_classes
    if "seed" in signature(entry.kind).parameters:
        settings.setdefault("seed", seed)
    if not entry.net:
        return entry.kind(**settings)
    if way == 0:
        return entry.kind(MLP(seed=seed), **settings)
    headless = entry.net == "headless"
    net = Conv4(0 if headless else way, pool="max" if headless else "stride", norm=norm, seed=seed)
    return entry.kind(net, **settings)
