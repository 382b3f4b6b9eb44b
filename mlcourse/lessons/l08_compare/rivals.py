"""The episodes on which lesson 08 judges everything live, and the rivals that learn nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from mlcourse.datasets import load_splits
from mlcourse.episode import Episode, EpisodeSampler
from mlcourse.learners.protonet import squared_distances
from mlcourse.statistics import interval

WAY, EPISODES, SEED = 5, 60, 1


@cache
def held_out(split: str = "test") -> tuple[Episode, ...]:
    """EPISODES of 5-way 1-shot, glyphs of scripts that training never saw; split: "val" to choose on, "test" to
    report."""
    sampler = EpisodeSampler(getattr(load_splits("glyphs"), split), WAY, 1)
    generator = torch.Generator().manual_seed(SEED)
    return tuple(sampler.sample(1, generator).task(0) for _ in range(EPISODES))


@torch.no_grad()
def right(name: str, logits: Callable[[Episode], Tensor], split: str = "test") -> Tensor:
    """The per cent of queries right in each of the episodes (EPISODES,), printed with its interval.

    logits(e): what to answer in an episode, (queries, WAY).
    """
    share = lambda e: float((logits(e).argmax(1) == e.query_y).float().mean())
    found = torch.tensor([100 * share(e) for e in held_out(split)])
    print(f"{name:20s} ≈{interval(found).text()} %")
    return found


def nearest(features: Callable[[Tensor], Tensor], e: Episode) -> Tensor:
    """Minus the squared distances of an episode's queries to the one drawing of each class (Q, WAY)."""
    support = e.support_x[e.support_y.argsort()]
    return -squared_distances(features(e.query_x).flatten(1), features(support).flatten(1))


def blur(x: Tensor, width: int = 5) -> Tensor:
    """Pictures (M, 1, side, side), each pixel the mean of width × width, twice; width odd. 5 was the best of 1, 3, 5
    and 7 on the validation scripts."""
    for _ in range(2):
        x = F.avg_pool2d(x, width, 1, width // 2)
    return x
