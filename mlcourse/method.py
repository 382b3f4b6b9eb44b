"""What a method's file says of it: its record METHOD, from which names, help texts, tables and test suites are made."""

from __future__ import annotations

from typing import NamedTuple

from mlcourse.learner import Learner


class Method(NamedTuple):
    """A method by its command-line name, with the network it works on and the settings it is trained with.

    kind: its class. about: what it does, in a clause. net: "headed" (N outputs), "headless" (features), "maps"
    (features of several positions) or "" (none, or one that the method makes itself). settings, training: arguments of
    the constructor and of `phases` on images; None where the method knows no classes. train_way, train_query: the shape
    of training episodes where it is not that of the test. unlabeled: how many unlabelled samples of each class its
    episodes have, in training and at test.
    test_steps: inner steps at test where they are not those of training. one_shot_runs: like `training`, for Omniglot's
    one-shot runs, where it is not that. sinusoids: (settings, training) in regression,
    None where the method needs classes. baseline: whether it is what others have to beat. across: whether it is a
    closed-set method between a labelled source and a target, which trains on episodes of `DomainSampler`, not of one
    domain: `mlcourse study transfer` runs it and `mlcourse train` does not. of_pictures: whether it makes or changes
    pictures, so that it cannot learn from sequences.
    """

    name: str
    kind: type[Learner]
    about: str
    net: str
    settings: dict | None
    training: dict | None
    train_way: int | None = None
    train_query: int | None = None
    unlabeled: int = 0
    test_steps: int | None = None
    one_shot_runs: dict | None = None
    sinusoids: tuple[dict, dict] | None = None
    baseline: bool = False
    across: bool = False
    of_pictures: bool = False


SINUSOIDS = ({"lr": 0.01}, {"steps": 3000, "tasks": 25, "lr": 1e-2})     # of the methods around one inner rate
