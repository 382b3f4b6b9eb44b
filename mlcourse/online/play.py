"""A strategy in a stream: how well it answers as each task's samples arrive, and afterwards for all tasks so far."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from mlcourse.online.strategy import Predictor, Strategy
from mlcourse.online.stream import Task


class Played(NamedTuple):
    """Test accuracies in 0 to 1, float64, of T tasks.

    arriving (T, S): for the current task, after adapting to its first n_1, …, n_S samples and nothing else of it; nan
    for tasks that were not watched.
    as_is (T, S): for the current task as its samples arrive, without adapting to them.
    before, after (T, T): in row j, when the round of task j is over, those for every task i ≤ j, before and after
    adapting to all samples of i; nan for i > j.
    seconds: of the processor, for all training and adapting; tests are not counted. adapting: those of adapting.
    """

    arriving: Tensor
    as_is: Tensor
    before: Tensor
    after: Tensor
    seconds: float
    adapting: float


def unadapted(played: Played) -> Played:
    """The play of the strategy that is trained alike and never adapts."""
    return played._replace(arriving=played.as_is, after=played.before, seconds=played.seconds - played.adapting,
                           adapting=0.0)


def play(strategy: Strategy, stream: Sequence[Task], sizes: Sequence[int], watched: int = 0) -> Played:
    """Meet the tasks one after another; of each, the samples arrive in parts, up to n_1, …, n_S = `sizes`.

    watched: the place of the first task at which the strategy is asked after every part; of those before it is asked
    only when a round is over, which is cheaper.
    Of a task's test pictures a strategy sees no label. Raises ValueError, before anything is trained, for sizes that do
    not grow from 1 on, or more samples than a task has.
    """
    _check(stream, sizes)
    tasks = len(stream)
    arriving, as_is = torch.full((2, tasks, len(sizes)), torch.nan, dtype=torch.float64)
    before, after = torch.full((2, tasks, tasks), torch.nan, dtype=torch.float64)
    training, adapting = _Clock(), _Clock()
    for j, task in enumerate(stream):
        strategy.begin()
        for s, (last, n) in enumerate(pairwise([0, *sizes])):
            with training:
                strategy.see(task.x[last:n], task.y[last:n])
            if j >= watched:
                with training:
                    now = strategy.before()
                with adapting:
                    adapted = strategy.after(task.x[:n], task.y[:n])
                as_is[j, s], arriving[j, s] = share_right(now, task), share_right(adapted, task)
        with training:
            now = strategy.before()
        for i, seen in enumerate(stream[:j + 1]):
            with adapting:
                adapted = strategy.after(seen.x[:sizes[-1]], seen.y[:sizes[-1]])
            before[j, i], after[j, i] = share_right(now, seen), share_right(adapted, seen)
    return Played(arriving, as_is, before, after, training.seconds + adapting.seconds, adapting.seconds)


def share_right(answer: Predictor, task: Task) -> float:
    """The share of a task's test pictures that get their label."""
    return float((answer(task.test_x).argmax(-1) == task.test_y).double().mean())


def _check(stream: Sequence[Task], sizes: Sequence[int]) -> None:
    if not stream or not sizes or any(n <= last for last, n in pairwise([0, *sizes])):
        raise ValueError(f"a stream needs at least 1 task, and numbers of samples that grow from 1 on, got "
                         f"{len(stream)} tasks and {list(sizes)}")
    if (least := min(len(task.y) for task in stream)) < sizes[-1]:
        raise ValueError(f"{sizes[-1]} samples of every task were asked for, but one has {least}; make the stream with "
                         f"samples={sizes[-1]}")


class _Clock:
    """Adds up the seconds of its blocks."""

    seconds = 0.0

    def __enter__(self) -> None:
        self._start = time.process_time()

    def __exit__(self, *_) -> None:
        self.seconds += time.process_time() - self._start
