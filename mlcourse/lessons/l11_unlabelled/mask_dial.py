"""What the explorer of the mask shows: how far the pool lies, and what a mask of fixed threshold and steepness does."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from mlcourse.learners.soft_kmeans import relative_distances
from mlcourse.lessons.l11_unlabelled import pool
from mlcourse.lessons.l11_unlabelled.pool import OWN, WAY

FARTHEST, BINS = 1.6, 32
EDGES = np.linspace(0, FARTHEST, BINS + 1)
ALONG = np.linspace(0, FARTHEST, 10 * BINS + 1)        # where the mask is drawn


class Far(NamedTuple):
    """d (E, U): the least of the relative squared distances of each drawing of the pool to the prototypes. own,
    others (BINS,): how many drawings an episode has between EDGES, of its classes and of others."""

    d: Tensor
    own: np.ndarray
    others: np.ndarray


@cache
def far(others: int) -> Far:
    """How far the drawings of pools with so many other classes lie."""
    drawn = pool.pools(others, OWN // WAY)
    d = relative_distances(drawn.u, drawn.z).amin(-1)
    count = lambda values: np.histogram(np.minimum(values.double().numpy(), FARTHEST), EDGES)[0] / pool.EPISODES
    return Far(d, count(d[:, :OWN]), count(d[:, OWN:]))


def mask(d: Tensor | np.ndarray, threshold: float, steepness: float) -> Tensor:
    """1 for a relative distance d far below the threshold, 0 far above it."""
    return torch.sigmoid(steepness * (threshold - torch.as_tensor(d)))
