"""Two ways to write a prompt (x_1, y_1, x_2, …) as tokens, neither of which shows y_i to the token that predicts it.

    interleaved      x_1, (y_1, 0, …), x_2, (y_2, 0, …), …              2n tokens of d numbers; ŷ_i is read at x_i
    shifted pairs    [x_i, x_{i-1}, y_{i-1}, there is a pair before]    n tokens of 2d + 2; ŷ_i is read at the i-th

The first is that of Garg et al. (2022): y is padded with zeros to the d numbers of an x, so that y and the first number
of x go by the same channel. The second has every pair in one token, and with it learns several times as fast.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def interleaved(x: Tensor, y: Tensor) -> Tensor:
    """Tokens (B, 2n, d) of x (B, n, d) and y (B, n)."""
    padded = F.pad(y.unsqueeze(-1), (0, x.shape[-1] - 1))
    return torch.stack([x, padded], 2).flatten(1, 2)


def shifted_pairs(x: Tensor, y: Tensor) -> Tensor:
    """Tokens (B, n, 2d + 2) of x (B, n, d) and y (B, n); before the first pair stand zeros."""
    pairs = torch.cat([x, y.unsqueeze(-1), torch.ones_like(y).unsqueeze(-1)], -1)
    return torch.cat([x, F.pad(pairs[:, :-1], (0, 0, 1, 0))], -1)
