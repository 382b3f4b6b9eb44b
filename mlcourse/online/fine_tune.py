"""Follow the leader and fine-tune: train on everything, then take gradient steps on the task at hand.

Finn, Rajeswaran, Kakade, Levine: Online Meta-Learning, ICML 2019 (a baseline there). Of FTML it has all but
the derivative through the steps: w is trained as if none were to follow.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mlcourse.engine.descend import check_rate, descend
from mlcourse.losses import task_loss
from mlcourse.nets import call, params_of
from mlcourse.online.everything import TrainOnEverything
from mlcourse.online.strategy import Predictor, predictor
from mlcourse.phases import check_counts


class FineTune(TrainOnEverything):
    """alpha, test_steps: rate and number of the gradient steps in `after`; the rest as in `TrainOnEverything`."""

    def __init__(self, net: nn.Module, *, alpha: float = 0.05, test_steps: int = 30, **training):
        super().__init__(net, **training)
        check_rate(alpha)
        check_counts(test_steps=test_steps)
        self.alpha, self.test_steps = alpha, test_steps

    @torch.no_grad()
    def after(self, x: Tensor, y: Tensor) -> Predictor:
        """w after the steps on all samples given."""
        loss = lambda w: task_loss(call(self.net, w, x), y)
        return predictor(self.net, descend(loss, params_of(self.net), self.test_steps, self.alpha, order=1))
