"""Two priors over small tables with two classes, which a prior-fitted network learns from.

A prior is any function (batch, rows, features, generator) -> Table.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Table(NamedTuple):
    """B tables: x (B, R, F), and labels y (B, R) of 0 and 1."""

    x: Tensor
    y: Tensor


def logistic_tables(batch: int, rows: int, features: int, generator: torch.Generator) -> Table:
    """Logistic regressions: w ~ N(0, 4 I), b ~ N(0, 1), x ~ N(0, I), P(y = 1) = σ(w·x + b)."""
    normal = lambda *shape: torch.randn(batch, *shape, generator=generator)
    x, w, b = normal(rows, features), 2 * normal(features, 1), normal(1, 1)
    p = (x @ w + b).squeeze(-1).sigmoid()
    return Table(x, (torch.rand(batch, rows, generator=generator) < p).long())


def mlp_tables(batch: int, rows: int, features: int, generator: torch.Generator) -> Table:
    """Networks with 8 tanh units and random weights: y says which half of the rows has the larger output."""
    normal = lambda *shape: torch.randn(batch, *shape, generator=generator)
    x = normal(rows, features)
    hidden = (x @ normal(features, 8) + normal(1, 8)).tanh()
    score = (hidden @ normal(8, 1)).squeeze(-1)
    return Table(x, (score > score.median(-1, keepdim=True).values).long())
