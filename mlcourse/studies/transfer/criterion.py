"""When a training with unlabelled pictures of the target has gone on for long enough, by a rule without labels."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor

from mlcourse.learners import AdaBN
from mlcourse.losses.alignment import information
from mlcourse.nets import call

EVERY, PATIENCE = 25, 4         # steps between two measurements; how many in a row may bring no more


class Enough(Exception):
    """A criterion ends a training."""


class MostInformative:
    """Called after each step: every 25 it measures how informative the predictions on pictures x are (`information`, in
    nats, each picture normalised with all of them), keeps the weights under which they are most so, and raises `Enough`
    when four measurements in a row brought no more. No label enters."""

    def __init__(self, learner: AdaBN, x: Tensor):
        self.learner, self.x, self.most, self.since = learner, x, -math.inf, 0
        self.best = copy.deepcopy(learner.state_dict())

    def __call__(self, record: dict) -> None:
        if (record["step"] + 1) % EVERY:
            return
        with torch.no_grad():
            found = float(information(call(self.learner.net, self.learner.theta(), self.x)))
        self.since += 1
        if found > self.most:
            self.best, self.most, self.since = copy.deepcopy(self.learner.state_dict()), found, 0
        if self.since == PATIENCE:
            raise Enough
