"""The best that can be known of a linear task from its prompt, and what least squares makes of it.

    prior mean       0                                  the best answer to a prompt without pairs
    least squares    ŵ = X⁺ y                           of the smallest norm where pairs are fewer than dimensions
    ridge            ŵ = (XᵀX + λI)⁻¹ Xᵀy               with λ = σ² the posterior mean of w ~ N(0, I): Bayes
    pool             ŵ = Σ_m p(w_m | X, y) w_m          the posterior mean where w is one of M known tasks

Each takes pairs x (B, k, d), y (B, k) and a query (B, d), and predicts (B,). Where w is s times as large, λ = σ²/s².
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

Predictor = Callable[[Tensor, Tensor, Tensor], Tensor]


def by_prefix(predict: Predictor, x: Tensor, y: Tensor) -> Tensor:
    """The prediction of every y_i from x_i and the i pairs before it, (B, n), from i = 0 on."""
    return torch.stack([predict(x[:, :i], y[:, :i], x[:, i]) for i in range(x.shape[1])], 1)


def prior_mean(x: Tensor, y: Tensor, query: Tensor) -> Tensor:
    """0, whatever the pairs."""
    return query.new_zeros(len(query))


def least_squares(x: Tensor, y: Tensor, query: Tensor) -> Tensor:
    """X⁺ y at the query."""
    return _at(query, torch.linalg.pinv(x) @ y.unsqueeze(-1))


def ridge(penalty: float) -> Predictor:
    """Ridge regression with λ = `penalty`, at least 0."""
    def predict(x: Tensor, y: Tensor, query: Tensor) -> Tensor:
        system = x.mT @ x + penalty * torch.eye(x.shape[-1]).to(x)
        return _at(query, torch.linalg.solve(system, x.mT @ y.unsqueeze(-1)))

    return predict


def of_pool(pool: Tensor, noise: float) -> Predictor:
    """The posterior mean over the tasks of a pool (M, d), each as likely before, with noise σ > 0."""
    def predict(x: Tensor, y: Tensor, query: Tensor) -> Tensor:
        off = y.unsqueeze(-1) - x @ pool.T
        posterior = (-off.square().sum(1) / (2 * noise**2)).softmax(-1)
        return (query * (posterior @ pool)).sum(-1)

    return predict


def _at(query: Tensor, w: Tensor) -> Tensor:
    return (query.unsqueeze(1) @ w)[:, 0, 0]


def least_squares_error(pairs: int, dims: int, noise: float = 0.0) -> float:
    """The expected squared error of least squares at a new point, to its target without noise, under the prior.

    With k pairs in d dimensions it does not see d - k of them, and fits noise into those that it sees: on the mean
    infinitely much where k is d - 1, d or d + 1 and there is noise.
    """
    unseen, seen = max(dims - pairs, 0), min(pairs, dims)
    if not noise or not seen:
        return float(unseen)
    spare = abs(dims - pairs) - 1
    return unseen + noise**2 * seen / spare if spare > 0 else math.inf


def baseline_loss(dims: int, points: int) -> float:
    """What least squares reaches on the mean of all prefixes of prompts without noise, mean_k max(d - k, 0): the number
    by which the authors divide their training loss."""
    return sum(least_squares_error(k, dims) for k in range(points)) / points
