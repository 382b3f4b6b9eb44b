"""What lesson 11 runs: episodes of new scripts with a pool, judged by whatever makes their prototypes, and training."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from IPython.display import display
from torch import Tensor, nn

from mlcourse.datasets import load_splits
from mlcourse.episode import EpisodeSampler
from mlcourse.learners.protonet import squared_distances
from mlcourse.lessons.l11_unlabelled import pool
from mlcourse.statistics import Estimate, interval
from mlcourse.widgets import Bar


class Task(NamedTuple):
    """One 5-way 1-shot episode as features: labelled z (M, D) with labels y (M,), the unlabelled pool u (U, D), queries q
    (Q, D) with their labels answer (Q,). hidden (U,): the classes of the pool, 5 for a distractor."""

    z: Tensor
    y: Tensor
    u: Tensor
    q: Tensor
    answer: Tensor
    hidden: Tensor


def tasks(distractors: int = 0) -> list[Task]:
    """The explorers' episodes, with five drawings of each class in the pool and of so many other classes."""
    drawn = pool.pools(distractors, pool.OWN // pool.WAY)
    y, answer = torch.arange(pool.WAY), torch.arange(pool.WAY).repeat_interleave(pool.QUERY)
    return [Task(z, y, u, q, answer, drawn.owner.clamp(max=pool.WAY))
            for z, u, q in zip(drawn.z, drawn.u, drawn.q, strict=True)]


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


def train(f: nn.Module, mask: nn.Module, loss: Callable[..., Tensor], steps: int) -> None:
    """Train both, in place, on 5-way 1-shot episodes of the training scripts with five drawings of each class and of five
    other classes in the pool, with a bar.

    loss(z, y, u, q, answer): a scalar.
    """
    sampler = EpisodeSampler(load_splits("glyphs").train, pool.WAY, 1, pool.QUERY, unlabeled=pool.EACH,
                             distractors=pool.OTHERS)
    adam = torch.optim.Adam([{"params": f.parameters(), "lr": 1e-3}, {"params": mask.parameters(), "lr": 1e-2}])
    generator, bar = torch.Generator().manual_seed(0), Bar(steps, "masked")
    display(bar)
    for _ in range(steps):
        e = sampler.sample(1, generator).task(0)
        value = loss(f(e.support_x), e.support_y, f(e.unlabeled_x), f(e.query_x), e.query_y)
        adam.zero_grad()
        value.backward()
        adam.step()
        bar({"loss": value.item()})
