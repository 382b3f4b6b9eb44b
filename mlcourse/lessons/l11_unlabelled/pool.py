"""Episodes of embedded drawings with an unlabelled pool, and what several rules make of their prototypes.

All is computed for EPISODES episodes at once, from features that were embedded once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from mlcourse.datasets import load_splits
from mlcourse.learners.protonet import squared_distances
from mlcourse.learners.soft_kmeans import assignment, refined, relative_distances
from mlcourse.lessons.l11_unlabelled.shipped import protonet

WAY, OWN, EACH, QUERY = 5, 25, 5, 5         # classes; their drawings in the pool; of each other class; queries a class
OTHERS = 5                                  # the most other classes
MOST = 13                                   # the most drawings of one class
CLASSES = 60                                # of the test scripts, evenly spread: what is embedded within a second
EPISODES, SEED = 200, 4


class Pool(NamedTuple):
    """E episodes. z (E, WAY, D): the labelled drawing of each class; q (E, WAY · QUERY, D): the queries, sorted by
    class; u (E, U, D): the pool; owner (U,): the class of each place of the pool, WAY and more for other classes."""

    z: Tensor
    q: Tensor
    u: Tensor
    owner: Tensor


@cache
@torch.no_grad()
def characters(split: str = "test") -> Tensor:
    """Features (CLASSES, 20, D) of characters, of new scripts ("test") or of those trained on ("train")."""
    domain = getattr(load_splits("glyphs"), split)
    some = domain.subset(range(0, len(domain.classes), len(domain.classes) // CLASSES)[:CLASSES])
    x = some.images[some.labels.argsort(stable=True)].float() / 255
    return protonet().net(x).reshape(CLASSES, -1, protonet().net.size)


def deal(z: Tensor, episodes: int, generator: torch.Generator) -> Tensor:
    """What episodes draw from, (E, WAY + OTHERS, 20, D): other classes for each, their drawings in random order."""
    chosen = torch.rand(episodes, len(z), generator=generator).argsort(1)[:, :WAY + OTHERS]
    hands = torch.rand(episodes, WAY + OTHERS, z.shape[1], generator=generator).argsort(2)
    return z[chosen[..., None], hands]


@cache
def drawn() -> Tensor:
    """The episodes of new scripts, dealt once."""
    return deal(characters(), EPISODES, torch.Generator().manual_seed(SEED))


def counts(commonest: int) -> list[int]:
    """How many drawings of each of the WAY classes are in a pool of OWN, `commonest` of the first."""
    left = [(OWN - commonest) // (WAY - 1)] * (WAY - 1)
    for i in range(OWN - commonest - sum(left)):
        left[i] += 1
    return [commonest, *left]


@cache
def pools(others: int, commonest: int) -> Pool:
    """The episodes with EACH drawings of `others` other classes in the pool, and `commonest` of one of the five. All
    settings share labelled drawings and queries, and as much of the pool as they can."""
    return filled(drawn(), counts(commonest) + [EACH] * others)


def filled(z: Tensor, numbers: list[int]) -> Pool:
    """Episodes from what was dealt, with so many drawings of each class in the pool, the WAY classes first."""
    start = 1 + QUERY
    u = torch.cat([z[:, n, start:start + number] for n, number in enumerate(numbers)], 1)
    owner = torch.arange(len(numbers)).repeat_interleave(torch.tensor(numbers))
    return Pool(z[:, :WAY, 0], z[:, :WAY, 1:start].flatten(1, 2), u, owner)


def one_hot() -> Tensor:
    """The labels of the labelled drawings, (WAY, WAY)."""
    return torch.eye(WAY)


def alone(pool: Pool) -> Tensor:
    """The labelled drawings are the prototypes (E, WAY, D)."""
    return pool.z


def hard(pool: Pool) -> Tensor:
    """Each drawing of the pool counts for the nearest prototype as if it were labelled."""
    nearest = squared_distances(pool.u, pool.z).argmin(-1)
    return refined(pool.z, one_hot(), pool.u, F.one_hot(nearest, WAY).to(pool.u))


def soft(pool: Pool) -> Tensor:
    """One step of soft k-means."""
    return refined(pool.z, one_hot(), pool.u, assignment(pool.u, pool.z))


def masked(pool: Pool, threshold: float = 0.5, steepness: float = 10.0) -> Tensor:
    """One step of soft k-means with a mask whose threshold and steepness are fixed."""
    m = torch.sigmoid(steepness * (threshold - relative_distances(pool.u, pool.z)))
    return refined(pool.z, one_hot(), pool.u, assignment(pool.u, pool.z) * m)


def balanced(pool: Pool, rounds: int = 20) -> Tensor:
    """One step whose shares are scaled until each class gets as much of the pool as any other (Sinkhorn): the columns
    in turn with the rows, which are last."""
    d = squared_distances(pool.u, pool.z).double()
    raised = (d.amin(-1, keepdim=True) - d).exp()
    each = torch.ones_like(raised[:, :, :1])
    for _ in range(rounds):
        column = 1 / (raised.mT @ each).clamp(min=1e-300)
        each = 1 / (raised @ column)
    return refined(pool.z, one_hot(), pool.u, (each * raised * column.mT).to(pool.u))


ALONE, HARD, SOFT, BALANCED, MASKED = "labelled alone", "hard", "soft k-means", "balanced", "masked"
RULES: dict[str, Callable[[Pool], Tensor]] = {ALONE: alone, HARD: hard, SOFT: soft, BALANCED: balanced, MASKED: masked}


@cache
def prototypes(rule: str, others: int, commonest: int) -> Tensor:
    """What a rule makes of the episodes: (E, WAY, D)."""
    return RULES[rule](pools(others, commonest))


def right(means: Tensor) -> Tensor:
    """The per cent of right answers in each episode (E,) with these prototypes (E, WAY, D): the queries are the same at
    every setting of the pool."""
    said = squared_distances(pools(0, OWN // WAY).q, means).argmin(-1)
    return 100 * (said == torch.arange(WAY).repeat_interleave(QUERY)).float().mean(1)


@cache
def plane(episode: int) -> tuple[Tensor, Tensor]:
    """The middle (D,) of an episode's class means, over all drawings, and the two directions (D, 2) in which these lie
    furthest apart."""
    means = drawn()[episode, :WAY].mean(1)
    middle = means.mean(0)
    directions = torch.linalg.svd(means - middle, full_matrices=False).Vh[:2]
    turned = directions * torch.sign(directions[torch.arange(2), directions.abs().argmax(1)])[:, None]
    return middle, turned.T
