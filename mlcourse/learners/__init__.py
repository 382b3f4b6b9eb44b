"""The methods of the course, one file each. A method in METHODS takes part in the conformance suite, the arena, the
benchmark and the results table."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from mlcourse.learner import Learner
from mlcourse.learners.anil import ANIL
from mlcourse.learners.baselines import (FineTune, FromScratch, JointTraining, LinearProbe, NearestNeighbour,
                                         NoAdaptation)
from mlcourse.learners.fomaml import FOMAML
from mlcourse.learners.maml import MAML
from mlcourse.learners.meta_sgd import MetaSGD
from mlcourse.learners.protonet import ProtoNet
from mlcourse.learners.reptile import Reptile
from mlcourse.nets import MLP, Conv4

__all__ = ["ANIL", "FOMAML", "MAML", "METHODS", "FineTune", "FromScratch", "JointTraining", "LinearProbe", "MetaSGD",
           "Method", "NearestNeighbour", "NoAdaptation", "ProtoNet", "Reptile", "method"]


class Method(NamedTuple):
    """A method by its command-line name, with the network it uses and the settings it trains with.

    kind: its class. net: "headed" (N outputs), "headless" (features), or "" for none. settings: the constructor's
    arguments on images. train_way: the way of training episodes, None for that of the test. training: the arguments
    of `phases` on images. test_steps: inner steps at test, None for those of training. regression: whether it fits
    sinusoids.
    """

    name: str
    kind: type[Learner]
    net: str
    settings: dict
    training: dict
    train_way: int | None = None
    train_query: int | None = None
    test_steps: int | None = None
    regression: bool = True


METHODS: tuple[Method, ...] = (
    Method("maml", MAML, "headed", {"lr": 0.4}, {"steps": 2000, "tasks": 32, "lr": 2e-3}, test_steps=3),
    Method("fomaml", FOMAML, "headed", {"lr": 0.4}, {"steps": 2000, "tasks": 32, "lr": 2e-3}, test_steps=3),
    Method("anil", ANIL, "headed", {"lr": 0.4}, {"steps": 2000, "tasks": 32, "lr": 2e-3}, test_steps=3),
    Method("reptile", Reptile, "headed", {"lr": 0.1, "steps": 8}, {"steps": 2000, "tasks": 5, "lr": 1.0},
           test_steps=50),
    Method("meta-sgd", MetaSGD, "headed", {}, {"steps": 2000, "tasks": 32, "lr": 2e-3}),
    Method("protonet", ProtoNet, "headless", {}, {"steps": 600, "tasks": 1, "lr": 2e-3}, train_way=60, train_query=5,
           regression=False),
    Method("none", NoAdaptation, "headed", {}, {"steps": 500, "tasks": 32, "lr": 1e-3}),
    Method("scratch", FromScratch, "headed", {"lr": 0.1}, {"steps": 1}),
    Method("joint", JointTraining, "headed", {"lr": 0.1, "steps": 10}, {"steps": 500, "tasks": 32, "lr": 1e-3}),
    Method("finetune", FineTune, "headless", {}, {"steps": 500, "tasks": 4, "lr": 1e-3}, regression=False),
    Method("probe", LinearProbe, "headless", {}, {"steps": 500, "tasks": 4, "lr": 1e-3}, regression=False),
    Method("neighbour", NearestNeighbour, "", {}, {"steps": 1}, regression=False),
)


def method(name: str) -> Method:
    """The method of this name. Raises ValueError, listing the names, for any other."""
    for entry in METHODS:
        if entry.name == name:
            return entry
    raise ValueError(f"unknown method {name!r}; known are {', '.join(entry.name for entry in METHODS)}")
