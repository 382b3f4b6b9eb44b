"""Train on everything: one network for all tasks so far, trained on their samples in one heap.

Finn, Rajeswaran, Kakade, Levine: Online Meta-Learning, ICML 2019 (a baseline there, TOE).

    w ← w - β ∇_w L(D_1 ∪ … ∪ D_t, w)          on some samples of the heap, uniformly

Where two tasks want different labels for one picture, no w serves both.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mlcourse.engine.descend import check_rate
from mlcourse.online.buffer import Buffer
from mlcourse.online.strategy import Predictor, Strategy, adam, fit, predictor
from mlcourse.phases import check_counts


class TrainOnEverything(Strategy):
    """One network, whose own parameters are w. lr: Adam's, β. steps: after every part of the data. batch: samples in
    each, all where there are no more. Raises ValueError for a rate that is not positive and finite, or a count below 1.
    """

    def __init__(self, net: nn.Module, *, lr: float = 2e-3, steps: int = 30, batch: int = 80, seed: int = 0):
        check_rate(lr)
        check_counts(steps=steps, batch=batch)
        self.net, self.steps, self.batch = net, steps, batch
        self.optimiser = adam(net, lr)
        self.buffer, self.generator = Buffer(), torch.Generator().manual_seed(seed)

    def begin(self) -> None:
        """The heap stays."""
        self.buffer.begin()

    def see(self, x: Tensor, y: Tensor) -> None:
        """The samples join the heap, and `steps` steps follow."""
        self.buffer.add(x, y)
        fit(self.net, self.optimiser, *self.buffer.everything(), self.steps, self.batch, self.generator)

    def before(self) -> Predictor:
        """w itself."""
        return predictor(self.net)
