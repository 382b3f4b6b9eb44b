"""A query and its companions: which queries are predicted together, and how right each is in that company."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mlcourse.engine import switch
from mlcourse.episode import Episode
from mlcourse.learner import Learner

ALONE, TOGETHER, MIXED, ONE_CLASS = "alone", "all", "mixed", "one class"


def alone(y: Tensor) -> Tensor:
    """Each of the M queries of labels y (M,) by itself: groups (M, 1) of places in the query set."""
    return torch.arange(len(y))[:, None]


def together(y: Tensor) -> Tensor:
    """All queries at once: (1, M)."""
    return torch.arange(len(y))[None]


def mixed(y: Tensor) -> Tensor:
    """As large groups as those of `one_class`, and as many, the classes in equal shares or one more: (N, M / N)."""
    return y.argsort(stable=True).view(-1, len(y.unique())).T.flatten().view(len(y.unique()), -1)


def one_class(y: Tensor) -> Tensor:
    """Each query among those of its own class alone: (N, M / N)."""
    return y.argsort(stable=True).view(len(y.unique()), -1)


COMPANY: dict[str, Callable[[Tensor], Tensor]] = {ALONE: alone, TOGETHER: together, MIXED: mixed, ONE_CLASS: one_class}


def regrouped(batch: Episode, company: str) -> tuple[Episode, int]:
    """The batch with its queries in the order of their groups, and the size of a group.

    batch: T episodes with equally many queries of each class.
    """
    groups = [COMPANY[company](y) for y in batch.query_y]
    order = torch.stack([each.flatten() for each in groups])
    rows = torch.arange(batch.tasks)[:, None]
    return batch._replace(query_x=batch.query_x[rows, order], query_y=batch.query_y[rows, order]), groups[0].shape[1]


@torch.no_grad()
def in_company(learner: Learner, batch: Episode, company: str, steps: int | None = None) -> Tensor:
    """The share of right answers of each of T episodes (T,) when every query is predicted in this company.

    The support set is adapted to once; queries, support and what was learned are the same in every company. The learner
    is one in eval mode, on pictures. Raises KeyError for an unknown company.
    """
    batch, size = regrouped(batch, company)

    def one(episode: Episode) -> Tensor:
        state = learner.adapt(episode, steps)
        return torch.cat([learner.predict(state, x) for x in episode.query_x.split(size, dim=-4)], -2)

    logits = switch.over_tasks(learner, one, batch)
    return (logits.argmax(-1) == batch.query_y).double().mean(1)
