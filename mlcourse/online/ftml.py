"""FTML: follow the meta leader, the initialisation from which the tasks so far are learned best.

Finn, Rajeswaran, Kakade, Levine: Online Meta-Learning, ICML 2019, Algorithm 1.

    w_{t+1} = argmin_w Σ_{k≤t} f_k(U_k(w)),     U_k(w) = w - α ∇f̂_k(w)

    round t: task t joins the buffer B
      repeat
        samples of task t arrive and join D_t
        w ← w - β ∇_w Σ_k L(D_k^val, U(w, D_k^tr))          some k ≤ t, uniformly; D_k^tr, D_k^val ⊂ D_k (`meta_update`)
        w̃_t ← U(w, D_t)                                      (`after`)
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mlcourse.engine.descend import check_rate
from mlcourse.episode import Episode
from mlcourse.learners import MAML
from mlcourse.online.buffer import Buffer, Labelled
from mlcourse.online.strategy import Predictor, Strategy, adam, predictor
from mlcourse.phases import check_counts


class FTML(Strategy):
    """FTML around a network, whose own parameters are w.

    alpha, k: rate and number of the inner steps; test_steps: their number in `after`. lr: Adam's, β. steps: how many
    meta-updates follow every part of the data. tasks: how many of the buffer a meta-update draws, without repetition;
    all where there are no more. batch: samples in each of D_k^tr and D_k^val, which are drawn independently and so may
    share some; fewer where one of the tasks drawn has fewer.
    Raises ValueError for a rate that is not positive and finite, or a count below 1.
    """

    def __init__(self, net: nn.Module, *, alpha: float = 0.05, k: int = 5, test_steps: int = 30, lr: float = 2e-3,
                 steps: int = 15, tasks: int = 8, batch: int = 10, seed: int = 0):
        check_counts(test_steps=test_steps, steps=steps, tasks=tasks, batch=batch)
        check_rate(lr, "outer learning rate")
        self.learner = MAML(net, alpha, k)
        self.optimiser = adam(net, lr)
        self.test_steps, self.steps, self.tasks, self.batch = test_steps, steps, tasks, batch
        self.buffer, self.generator = Buffer(), torch.Generator().manual_seed(seed)

    def begin(self) -> None:
        """Task t joins the buffer."""
        self.buffer.begin()

    def see(self, x: Tensor, y: Tensor) -> None:
        """The samples join D_t, and `steps` meta-updates follow."""
        self.buffer.add(x, y)
        for _ in range(self.steps):
            self.meta_update()

    def meta_update(self) -> None:
        """One step on the mean over some tasks k ≤ t of L(D_k^val, U(w, D_k^tr))."""
        chosen = torch.randperm(len(self.buffer), generator=self.generator)[:self.tasks].tolist()
        data = [self.buffer[k] for k in chosen]
        batch = min(self.batch, *(len(y) for _, y in data))
        tr, val = self._drawn(data, batch), self._drawn(data, batch)
        self.optimiser.zero_grad()
        self.learner.losses(self._episode(tr, val, (len(data),))).mean().backward()
        self.optimiser.step()

    def before(self) -> Predictor:
        """w itself."""
        return predictor(self.learner.net)

    @torch.no_grad()
    def after(self, x: Tensor, y: Tensor) -> Predictor:
        """w̃ = U(w, D), by `test_steps` steps on all samples given."""
        state = self.learner.adapt(self._episode((x, y), (x[:0], y[:0])), self.test_steps)
        return predictor(self.learner.net, state.params)

    def _drawn(self, data: list[Labelled], batch: int) -> Labelled:
        rows = [torch.randperm(len(y), generator=self.generator)[:batch] for _, y in data]
        return (torch.stack([x[each] for (x, _), each in zip(data, rows, strict=True)]),
                torch.stack([y[each] for (_, y), each in zip(data, rows, strict=True)]))

    def _episode(self, tr: Labelled, val: Labelled, tasks: tuple[int, ...] = ()) -> Episode:
        x, y = tr
        head = getattr(self.learner.net, "head", None)
        way = 0 if head is None or y.is_floating_point() else head.out_features
        unlabeled, classes = x.new_empty(*tasks, 0, *x.shape[len(tasks) + 1:]), torch.arange(way).expand(*tasks, way)
        return Episode(*tr, *val, unlabeled, classes, torch.zeros(tasks, dtype=torch.int64))
