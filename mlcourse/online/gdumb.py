"""GDumb: keep a balanced memory, and train a new network on it whenever an answer is asked for.

Prabhu, Torr, Dokania: GDumb: A Simple Approach that Questions Our Progress in Continual Learning, ECCV 2020.

    a sample with label y arrives
      if fewer of y are kept than capacity / number of labels seen
        if the memory is full, one of the label that has most leaves it, at random
        the sample is kept

Deviations: Adam in place of SGD with restarts, no augmentation.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from mlcourse.engine.descend import check_rate
from mlcourse.online.strategy import Predictor, Strategy, adam, fit, predictor
from mlcourse.phases import check_counts


class GDumb(Strategy):
    """net: the start of every training, which itself is never trained. capacity: samples that the memory holds; with as
    many as the stream has, it keeps nearly all, as its rivals do. lr: Adam's. steps, batch: of each training.
    Raises ValueError for a rate that is not positive and finite, or a count below 1."""

    def __init__(self, net: nn.Module, *, capacity: int, lr: float = 2e-3, steps: int = 400, batch: int = 80,
                 seed: int = 0):
        check_rate(lr)
        check_counts(capacity=capacity, steps=steps, batch=batch)
        self.net, self.capacity, self.lr, self.steps, self.batch, self.seed = net, capacity, lr, steps, batch, seed
        self.memory: dict[int, list[Tensor]] = {}
        self.generator = torch.Generator().manual_seed(seed)
        self._trained: nn.Module | None = None

    def see(self, x: Tensor, y: Tensor) -> None:
        """The greedy sampler, one sample after another."""
        for sample, label in zip(x, y.tolist(), strict=True):
            self._offer(sample, label)
        self._trained = None

    def _offer(self, sample: Tensor, label: int) -> None:
        kept = self.memory.setdefault(label, [])
        if len(kept) >= self.capacity / len(self.memory):
            return
        if sum(map(len, self.memory.values())) >= self.capacity:
            most = max(self.memory.values(), key=len)
            most.pop(int(torch.randint(len(most), (), generator=self.generator)))
        kept.append(sample)

    def before(self) -> Predictor:
        """A network trained on the memory alone, the same until something new is seen; the untrained one before."""
        return predictor(self.network())

    def network(self) -> nn.Module:
        """That network."""
        if self._trained is None and self.memory:
            self._trained = copy.deepcopy(self.net)
            x = torch.stack([sample for kept in self.memory.values() for sample in kept])
            y = torch.tensor([label for label, kept in self.memory.items() for _ in kept])
            fit(self._trained, adam(self._trained, self.lr), x, y, self.steps, self.batch,
                torch.Generator().manual_seed(self.seed))
        return self._trained or self.net
