"""Meta-SGD's training as a row of snapshots: the engine of the learned-rates explorer."""

from __future__ import annotations

from typing import NamedTuple

import torch

from mlcourse.episode import Episode
from mlcourse.learner import batch_loss
from mlcourse.learners import MetaSGD
from mlcourse.losses import task_loss
from mlcourse.nets import Params
from mlcourse.phases import Phase
from mlcourse.train import outer_step, step_generator

CHECK_TASKS, CHECK_SEED = 60, 10**6


class Snapshot(NamedTuple):
    """θ and α by name after `step` outer steps, the mean query loss of the check tasks at θ and at φ, and the share of
    negative rates."""

    step: int
    theta: Params
    alpha: Params
    before: float
    after: float
    negative: float


class RateHistory:
    """A Meta-SGD learner, a sampler of its tasks, and snapshots of both θ and α: one before training, then one every
    `every` outer steps.

    Called with a record, as `train` calls its `on_step`, it counts an outer step. `advance` runs more of them itself,
    with Adam of rate β; the batch of each depends on `seed` and its number alone. `check`: the tasks that a snapshot is
    judged on, which training never sees.

        history = RateHistory(learner, sampler)
        train(learner, phases, on_step=history)
    """

    def __init__(self, learner: MetaSGD, sampler, every: int = 100, seed: int = 0):
        if every < 1:
            raise ValueError(f"a snapshot is taken every 1 or more outer steps, got {every}")
        self.learner, self.sampler, self.every, self.seed = learner, sampler, every, seed
        self.check: Episode = sampler.sample(CHECK_TASKS, torch.Generator().manual_seed(CHECK_SEED + seed))
        self.optimiser = torch.optim.Adam(learner.named_parameters())
        self.step = 0
        self.snapshots = [self._snapshot()]

    def __call__(self, record: dict) -> None:
        self.step += 1
        if self.step % self.every == 0:
            self.snapshots.append(self._snapshot())

    def advance(self, count: int, beta: float = 3e-3, tasks: int = 25) -> None:
        """`count` more outer steps. Raises ValueError where the loss stops being finite."""
        for group in self.optimiser.param_groups:
            group["lr"] = group["initial_lr"] = beta
        phase = Phase("meta-train", lambda generator: self.sampler.sample(tasks, generator),
                      lambda batch, step: batch_loss(self.learner, batch), self.optimiser, self.step + count)
        for _ in range(count):
            self({"loss": outer_step(phase, self.step, step_generator(self.seed, 1, self.step))})
        if self.snapshots[-1].step != self.step:
            self.snapshots.append(self._snapshot())

    def _snapshot(self) -> Snapshot:
        with torch.no_grad():
            before, after = (task_loss(self.learner.predictions(self.check, steps), self.check.query_y).mean().item()
                             for steps in (0, None))
        copied = lambda params: {name: p.detach().clone() for name, p in params.items()}
        return Snapshot(self.step, copied(self.learner.theta()), copied(self.learner.rates()), before, after,
                        self.learner.negative_rates().item())
