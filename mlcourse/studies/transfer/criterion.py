"""When a training has gone on for long enough, by a rule without labels of the target."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import torch
from torch import Tensor

from mlcourse.domains import Domain
from mlcourse.learners import AdaBN
from mlcourse.losses.alignment import information
from mlcourse.nets import call
from mlcourse.studies.transfer.source import held_loss

EVERY, PATIENCE = 25, 4
Score = Callable[[AdaBN], float]


class Enough(Exception):
    """A criterion ends a training."""


class UntilNoBetter:
    """Called after each step: every 25 it scores the learner, keeps the weights with the highest score, and raises
    `Enough` when four scores in a row brought none that is higher."""

    def __init__(self, learner: AdaBN, score: Score):
        self.learner, self.score, self.highest, self.since = learner, score, -math.inf, 0
        self.best = copy.deepcopy(learner.state_dict())

    def __call__(self, record: dict) -> None:
        if (record["step"] + 1) % EVERY:
            return
        with torch.no_grad():
            found = self.score(self.learner)
        self.since += 1
        if found > self.highest:
            self.best, self.highest, self.since = copy.deepcopy(self.learner.state_dict()), found, 0
        if self.since == PATIENCE:
            raise Enough


def informative(x: Tensor) -> Score:
    """How informative the predictions on pictures x (M, C, S, S) are (`information`, in nats), each picture normalised
    with all of them. No label enters."""
    return lambda learner: float(information(call(learner.net, learner.theta(), x)))


def right_at_home(held: Domain) -> Score:
    """Minus the loss on pictures of the source that were held back (`source.held_loss`), normalised with one another.
    Nothing of the target enters."""
    return lambda learner: -held_loss(learner.net, held)
