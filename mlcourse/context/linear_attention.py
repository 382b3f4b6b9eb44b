"""One layer of linear attention is one gradient step, and its best error is known exactly.

von Oswald et al.: Transformers Learn In-Context by Gradient Descent, ICML 2023, proposition 1; the error is derived in
lesson 17.

    ŷ = η/N Σ_i y_i x_i·x_q          a step of rate η from w = 0 on 1/(2N) Σ_i (w·x_i - y_i)²

For x, w ~ N(0, I) in d dimensions and noise σ, with S = XᵀX/N: E[S] = I and E[S²] = (N + d + 1)/N I, so that a matrix A
in the place of η has the error

    E|w - A Xᵀy/N|² = d - 2 tr A + (N + d + 1 + σ²)/N |A|²

which is least for A = η I with η = N/(N + d + 1 + σ²), and then d(d + 1 + σ²)/(N + d + 1 + σ²).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def one_step(x: Tensor, y: Tensor, query: Tensor, eta: float) -> Tensor:
    """The prediction (B,) of one gradient step on pairs x (B, N, d), y (B, N), at a query (B, d)."""
    w = eta * (x.mT @ y.unsqueeze(-1)).squeeze(-1) / x.shape[1]
    return (w * query).sum(-1)


def best_rate(pairs: int, dims: int, noise: float = 0.0) -> float:
    """η = N/(N + d + 1 + σ²)."""
    return pairs / (pairs + dims + 1 + noise**2)


def best_error(pairs: int, dims: int, noise: float = 0.0) -> float:
    """d(d + 1 + σ²)/(N + d + 1 + σ²), to targets without noise."""
    return dims * (dims + 1 + noise**2) / (pairs + dims + 1 + noise**2)


def error_of(matrix: Tensor, pairs: int, noise: float = 0.0) -> Tensor:
    """The error of a matrix A (d, d) in the place of η: a scalar."""
    dims = len(matrix)
    return dims - 2 * matrix.trace() + (pairs + dims + 1 + noise**2) / pairs * matrix.square().sum()


class OneStep(nn.Module):
    """ŷ = x_q·A Xᵀy/N with one matrix A, which starts at 0: all that a layer of linear attention can use."""

    def __init__(self, dims: int):
        super().__init__()
        self.matrix = nn.Parameter(torch.zeros(dims, dims))

    def forward(self, x: Tensor, y: Tensor, query: Tensor) -> Tensor:
        """Predictions (B,), as of `one_step`."""
        return one_step(x, y, query @ self.matrix, 1.0)


class LinearAttention(nn.Module):
    """The layer itself, for tokens z_i = [x_i, y_i] and z_q = [x_q, 0]: the last number of

        P 1/N Σ_i (V z_i) (K z_i)·(Q z_q)

    with four matrices of d + 1 rows and columns, which start at N(0, 0.2²).
    """

    def __init__(self, dims: int, seed: int = 0):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        draw = lambda: nn.Parameter(0.2 * torch.randn(dims + 1, dims + 1, generator=generator))
        self.q, self.k, self.v, self.p = draw(), draw(), draw(), draw()

    def forward(self, x: Tensor, y: Tensor, query: Tensor) -> Tensor:
        """Predictions (B,), as of `one_step`."""
        z, z_q = torch.cat([x, y.unsqueeze(-1)], -1), F.pad(query, (0, 1))
        scores = z @ self.k.T @ (z_q @ self.q.T).unsqueeze(-1)
        read = (scores * (z @ self.v.T)).mean(1)
        return (read @ self.p.T)[:, -1]
