"""Phases: what a training is made of, whatever its loss, and how their rates run."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from mlcourse.engine import switch
from mlcourse.engine.descend import check_rate
from mlcourse.episode import Episode
from mlcourse.nets.params import trainable


def constant(share: float) -> float:
    """1, always."""
    return 1.0


def cosine_decay(share: float) -> float:
    """From 1 to 0 along half a cosine."""
    return 0.5 * (1 + math.cos(math.pi * share))


def linear_decay(share: float) -> float:
    """From 1 to 0 along a line."""
    return 1 - share


@dataclass
class Phase:
    """One stage of training: `steps` optimiser steps on a loss.

    sample: draws a batch from a generator. loss: (batch, step) -> scalar, a mean over the batch's tasks. rate: the
    factor on the optimiser's rates at a given share of the phase in [0, 1). chunk: how many tasks are differentiated
    at once (None: all). after: called with the batch after each optimiser step. learner: whose engine computes the
    loss; None where the loss is no mean over episodes. one: (episode, step) -> the loss of one episode, with which
    train.py can compare a loop over tasks. before: called with the number of each step, before its batch is drawn; what
    it changes belongs into buffers of the learner, where a training that is resumed finds it. An optimiser made from
    named parameters lets errors name them. Raises ValueError for steps or a chunk below 1.
    """

    name: str
    sample: Callable[[torch.Generator], Any]
    loss: Callable[[Any, int], Tensor]
    optimiser: torch.optim.Optimizer
    steps: int
    rate: Callable[[float], float] = constant
    chunk: int | None = None
    after: Callable[[Any], None] | None = None
    learner: nn.Module | None = None
    one: Callable[[Episode, int], Tensor] | None = None
    before: Callable[[int], None] | None = None

    @property
    def parallel(self) -> bool:
        """Whether the cores may share the chunks."""
        return self.learner is not None and in_threads(self.learner)

    def __post_init__(self):
        check_counts(steps=self.steps, **({} if self.chunk is None else {"chunk": self.chunk}))


def over_episodes(learner: nn.Module, name: str, sample: Callable[[torch.Generator], Episode],
                  one: Callable[[Episode, int], Tensor], optimiser: torch.optim.Optimizer, steps: int,
                  rate: Callable[[float], float] = constant, after: bool = True,
                  before: Callable[[int], None] | None = None) -> Phase:
    """A phase on the mean of `one`(episode, step) over a batch, computed by the learner's engine.

    after: whether the learner's `after_step` follows each step. The other arguments are those of `Phase`.
    """
    def loss(batch: Episode, step: int) -> Tensor:
        return switch.over_tasks(learner, lambda episode: one(episode, step), batch).mean()

    return Phase(name, sample, loss, optimiser, steps, rate, learner.tasks_at_once,
                 learner.after_step if after else None, learner, one, before)


def episodic_phase(learner: nn.Module, sampler, steps: int, *, tasks: int, lr: float,
                   name: str = "meta-train", one: Callable[[Episode], Tensor] | None = None) -> Phase:
    """Adam on the mean loss of `tasks` episodes a step, the rate annealed to 0 by a cosine. one: the loss of an
    episode; None is the learner's.

    Raises ValueError for a rate that is not positive and finite, or a count below 1.
    """
    check_counts(tasks=tasks)
    check_rate(lr, "outer learning rate")
    return over_episodes(learner, name, lambda generator: sampler.sample(tasks, generator),
                         lambda episode, step: (one or learner.loss)(episode),
                         torch.optim.Adam(trained_by(learner), lr=lr), steps, cosine_decay)


def trained_by(learner: nn.Module) -> list[tuple[str, Tensor]]:
    """The named parameters that an optimiser of a learner's moves. Raises ValueError where all are frozen, or none are
    there."""
    if named := list(trainable(learner).items()):
        return named
    raise ValueError(f"{type(learner).__name__} has no parameter to train: its network is frozen, or it has none; "
                     "adapt and predict with it as it is")


def in_threads(learner: nn.Module) -> bool:
    """Whether several threads may share a learner's tasks: torch.func, of the other engines, is not made for them, and
    another device than the CPU computes with its own."""
    return learner.engine == switch.STACKED and all(p.device.type == "cpu" for p in learner.parameters())


def check_counts(**counts: int) -> None:
    """Raises ValueError for a count below 1."""
    for what, value in counts.items():
        if value < 1:
            raise ValueError(f"{what} must be at least 1, got {value}")
