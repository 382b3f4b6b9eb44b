"""What the prompt player computes: some examples of a line through the origin, and what four learners make of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
from torch import Tensor

from mlcourse.context import best_rate, one_step, ridge
from mlcourse.episode import Episode
from mlcourse.lessons.l17_context import shipped

NETWORK, RIDGE, ONE_STEP, MAML = "the network", "ridge", "one step", "MAML"
ALL = (NETWORK, RIDGE, ONE_STEP, MAML)
DEALT, TURNED, SORTED = ORDERS = ("as dealt", "reversed", "by x")
MOST, SIGMA = 10, 0.5               # examples, and the noise of each
ACROSS, UP = 8.0, 9.0               # what is drawn: |x| and |y| up to these
DEALS, BEFORE = 8, 12              # deal 1 has the seed after BEFORE
USUAL = 1.96                        # |x| up to this holds 95 % of the prior's x
GRID = np.linspace(-ACROSS, ACROSS, 97)


@cache
def noise(deal: int) -> tuple[np.ndarray, np.ndarray]:
    """x (MOST,) and the noise (MOST,) of a deal, both standard normal."""
    generator = torch.Generator().manual_seed(BEFORE + deal)
    return tuple(torch.randn(MOST, generator=generator).numpy() for _ in range(2))


def dealt(deal: int, slope: float, spread: float, count: int) -> np.ndarray:
    """The first `count` examples of a deal, (count, 2): x is `spread` times as large as in training."""
    x, e = (each[:count] for each in noise(deal))
    return np.stack([spread * x, slope * spread * x + SIGMA * e], 1)


def ordered(points: np.ndarray, order: str) -> np.ndarray:
    """The examples (count, 2) in the order in which they are read."""
    if order == SORTED:
        return points[points[:, 0].argsort()]
    return points[::-1].copy() if order == TURNED else points


@torch.no_grad()
def said(points: np.ndarray, x: np.ndarray = GRID, names: Sequence[str] = ALL) -> dict[str, np.ndarray]:
    """What learners say at x (G,) after the examples, in their order: {name: (G,)}."""
    tensor = lambda values: torch.tensor(values, dtype=torch.float32)
    given, query, count = tensor(points), tensor(x)[:, None], len(points)
    many = lambda values: values.expand(len(query), *values.shape)
    x_given, y_given = many(given[:, :1]), many(given[:, 1])
    alpha = best_rate(count, 1, SIGMA) if count else 0.0
    each = {NETWORK: lambda: _network(x_given, y_given, query),
            RIDGE: lambda: ridge(SIGMA**2)(x_given, y_given, query),
            ONE_STEP: lambda: one_step(x_given, y_given, query, alpha) if count else 0 * query[:, 0],
            MAML: lambda: _maml(given, query)}
    return {name: each[name]().numpy() for name in names}


def _network(x: Tensor, y: Tensor, query: Tensor) -> Tensor:
    last = torch.zeros(len(query), 1)
    return shipped.line()(torch.cat([x, query.unsqueeze(1)], 1), torch.cat([y, last], 1))[:, -1]


def _maml(given: Tensor, query: Tensor) -> Tensor:
    learner, none = shipped.maml_line(), torch.zeros(0, 1)
    x, y = given[:, :1], given[:, 1:]
    episode = Episode(x, y, none, none, none, torch.zeros(0, dtype=torch.long), torch.tensor(0))
    return learner.predict(learner.adapt(episode, None if len(given) else 0), query)[:, 0]


def off(said: np.ndarray, slope: float, spread: float) -> float:
    """The root of the mean squared distance from the line, over the x on the grid that are usual at this spread."""
    usual = np.abs(GRID) <= USUAL * spread
    return float(np.sqrt(np.square(said - slope * GRID)[usual].mean()))


def prior(x: np.ndarray) -> np.ndarray:
    """95 % of the y at x lie between minus and plus this, in training."""
    return USUAL * np.sqrt(np.square(x) + SIGMA**2)
