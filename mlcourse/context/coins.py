"""Coins of a few known biases: a prior under which more flips can make the posterior more wrong.

The posterior of a prior that leaves the truth out goes to the coin with the smallest KL(truth ‖ coin): for the coins
0.3 and 0.6 and the truth 0.5 to 0.6, with certainty (a notebook of the PFNs repository, Müller et al.).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor


def posterior(flips: Tensor, coins: Sequence[float]) -> Tensor:
    """How probable each coin is after 0, 1, …, n flips (B, n) of 0 and 1, all coins being as likely before:
    (B, n + 1, C). The coins are the probabilities of a 1. Raises ValueError for one outside (0, 1)."""
    _check(coins)
    p = torch.tensor(coins, dtype=torch.float64)
    flips = flips.unsqueeze(-1).double()
    evidence = (flips * p.log() + (1 - flips) * (1 - p).log()).cumsum(1)
    return torch.cat([torch.zeros_like(evidence[:, :1]), evidence], 1).softmax(-1)


def predictive(flips: Tensor, coins: Sequence[float]) -> Tensor:
    """How probable a 1 is after 0, 1, …, n flips: (B, n + 1). Raises as `posterior` does."""
    return posterior(flips, coins) @ torch.tensor(coins, dtype=torch.float64)


def kl(truth: float, coin: float) -> float:
    """KL(truth ‖ coin) of one flip, in nats: what each flip of the truth costs the coin on average. Raises ValueError
    for a coin outside (0, 1), or such a truth."""
    _check((truth, coin))
    return truth * math.log(truth / coin) + (1 - truth) * math.log((1 - truth) / (1 - coin))


def _check(coins: Sequence[float]) -> None:
    if bad := [coin for coin in coins if not 0 < coin < 1]:
        raise ValueError(f"a coin's probability must lie between 0 and 1, got {bad[0]}")
