"""Forgetting: how far the accuracy for a task has fallen below the best that it was.

Chaudhry, Dokania, Ajanthan, Torr: Riemannian Walk for Incremental Learning, ECCV 2018.

    F_ij = max_{i ≤ l < j} a_li - a_ji          a_li: accuracy for task i when round l is over

Below 0 where it was never better. There are two such matrices, of the accuracies before and after adapting to i: a
strategy that adapts may forget in the first sense alone.
"""

from __future__ import annotations

import torch
from torch import Tensor


def forgetting(accuracy: Tensor) -> Tensor:
    """F (T, T), task i in row i and round j in column j; nan for j ≤ i, where there is nothing to forget.

    accuracy (T, T): a_ji in row j and column i, as in `Played.before` and `Played.after`. Raises ValueError for another
    shape.
    """
    if accuracy.ndim != 2 or accuracy.shape[0] != accuracy.shape[1]:
        raise ValueError(f"accuracies must be (T, T), a row for each round, got {tuple(accuracy.shape)}")
    found = torch.full_like(accuracy, torch.nan)
    for i in range(len(accuracy)):
        best = accuracy[i:, i].cummax(0).values
        found[i, i + 1:] = best[:-1] - accuracy[i + 1:, i]
    return found


def mean_forgetting(accuracy: Tensor) -> float:
    """The mean of F_ij over all tasks but the last, after the last round. Raises ValueError for fewer than 2 tasks."""
    if len(accuracy) < 2:
        raise ValueError("nothing can be forgotten in a stream of 1 task; play at least 2")
    return float(forgetting(accuracy)[:-1, -1].mean())
