"""Follow the leader and fine-tune: train on everything, then take gradient steps on the task at hand.

Finn, Rajeswaran, Kakade, Levine: Online Meta-Learning, ICML 2019 (a baseline there). Of FTML it has all but
the inner steps: w is trained as if none were to follow.
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
    """alpha, test_steps: rate and number of the gradient steps in `after`. spare: gradients of single samples to spend
    on more of them: spare // M steps more where M samples are given. The rest is as in `TrainOnEverything`. Raises what
    that does, and ValueError for a rate that is not positive and finite, test_steps below 1 or spare below 0."""

    def __init__(self, net: nn.Module, *, alpha: float = 0.05, test_steps: int = 30, spare: int = 0, **training):
        super().__init__(net, **training)
        check_rate(alpha)
        check_counts(test_steps=test_steps)
        if spare < 0:
            raise ValueError(f"spare must be at least 0, got {spare}")
        self.alpha, self.test_steps, self.spare = alpha, test_steps, spare

    def after(self, x: Tensor, y: Tensor) -> Predictor:
        """w after the steps on all samples given."""
        return tuned(self.net, x, y, self.test_steps + self.spare // len(x), self.alpha)


@torch.no_grad()
def tuned(net: nn.Module, x: Tensor, y: Tensor, steps: int, alpha: float) -> Predictor:
    """The network after gradient steps from its own parameters, which stay: φ ← φ - α ∇L(D, φ), each on all samples."""
    return predictor(net, descend(lambda phi: task_loss(call(net, phi, x), y), params_of(net), steps, alpha, order=1))
