"""What lesson 11 runs: episodes of new scripts with a pool, judged by whatever makes their prototypes, and training."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from torch import Tensor

from mlcourse.episode import Episode
from mlcourse.learners.protonet import squared_distances
from mlcourse.lessons.l11_unlabelled import pool
from mlcourse.lessons.l11_unlabelled.pool import Pool
from mlcourse.statistics import Estimate, interval


class Task(NamedTuple):
    """One 5-way 1-shot episode as features: labelled z (M, D) with labels y (M,), the unlabelled pool u (U, D), queries
    q (Q, D) with their labels answer (Q,). hidden (U,): the classes of the pool, 5 for a distractor."""

    z: Tensor
    y: Tensor
    u: Tensor
    q: Tensor
    answer: Tensor
    hidden: Tensor


def each(of: Pool) -> list[Task]:
    """The episodes one by one."""
    y, answer = torch.arange(pool.WAY), torch.arange(pool.WAY).repeat_interleave(pool.QUERY)
    hidden = of.owner.clamp(max=pool.WAY)
    return [Task(z, y, u, q, answer, hidden) for z, u, q in zip(of.z, of.u, of.q, strict=True)]


def tasks(others: int = 0) -> list[Task]:
    """The explorers' episodes, with five drawings of each class in the pool and of so many other classes."""
    return each(pool.pools(others, pool.OWN // pool.WAY))


def training_tasks(count: int) -> list[Task]:
    """As many of training characters, with five other classes in the pool."""
    dealt = pool.deal(pool.characters("train"), count, torch.Generator().manual_seed(0))
    return each(pool.filled(dealt, [pool.EACH] * (pool.WAY + pool.OTHERS)))


def episode(task: Task) -> Episode:
    """The same for a learner: features stand in the place of pictures."""
    return Episode(task.z, task.y, task.q, task.answer, task.u, torch.arange(pool.WAY), torch.tensor(0))


@torch.no_grad()
def right(name: str, prototypes: Callable[[Task], Tensor], of: Iterable[Task]) -> Tensor:
    """The per cent of queries right in each episode (E,), printed with its interval.

    prototypes(task): (N, D); a query gets the class of the nearest.
    """
    share = lambda t: float((squared_distances(t.q, prototypes(t)).argmin(1) == t.answer).float().mean())
    found = torch.tensor([100 * share(task) for task in of])
    print(f"{name:32s} ≈{interval(found).text()} %")
    return found


def gain(one: Tensor, other: Tensor) -> Estimate:
    """How many points `one` is above `other`, over episodes that both answered."""
    return interval(one - other)
