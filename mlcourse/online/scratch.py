"""From scratch: every task with a network of its own that knows nothing of the others.

What it needs of a task is what there is to gain for all that keep something. So it must not be starved of steps: the
released code of Online Meta-Learning (ICML 2019) gives it twice as many as the others.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from mlcourse.engine.descend import check_rate
from mlcourse.online.strategy import Predictor, Strategy, adam, fit, predictor
from mlcourse.phases import check_counts


class FromScratch(Strategy):
    """net: the start of every training, which itself is never trained. lr: Adam's. steps, batch: of each training.
    Raises ValueError for a rate that is not positive and finite, or a count below 1."""

    def __init__(self, net: nn.Module, *, lr: float = 2e-3, steps: int = 200, batch: int = 80, seed: int = 0):
        check_rate(lr)
        check_counts(steps=steps, batch=batch)
        self.net, self.lr, self.steps, self.batch, self.seed = net, lr, steps, batch, seed
        self.known: list[tuple[Tensor, Tensor, Predictor]] = []

    def see(self, x: Tensor, y: Tensor) -> None:
        """Nothing is kept."""

    def before(self) -> Predictor:
        """The untrained network."""
        return predictor(self.net)

    def after(self, x: Tensor, y: Tensor) -> Predictor:
        """A network trained on these samples alone, from the same start whatever came before; the same samples give the
        same network, which is not trained twice."""
        for old_x, old_y, answer in self.known:
            if old_x.shape == x.shape and torch.equal(old_y, y) and torch.equal(old_x, x):
                return answer
        net = copy.deepcopy(self.net)
        fit(net, adam(net, self.lr), x, y, self.steps, self.batch, torch.Generator().manual_seed(self.seed))
        self.known.append((x, y, predictor(net)))
        return self.known[-1][2]
