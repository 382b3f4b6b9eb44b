"""Adam without momentum as an inner optimiser, for one task and for many at once.

Kingma, Ba: Adam: A Method for Stochastic Optimization, ICLR 2015, Algorithm 1 with β1 = 0:

    v ← β2 v + (1 - β2) g²          v̂ = v / (1 - β2^t)          φ ← φ - α g / (√v̂ + 1e-8)
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from mlcourse.nets import Params

EPS = 1e-8


class Averages(NamedTuple):
    """Adam's state: v, the moving average of squared gradients by the name of their parameter, and the same average of
    ones, a scalar in [0, 1): 1 - β2^t after t steps from zeros."""

    v: Params
    ones: Tensor


def step(phi: Params, g: Params, averages: Averages, lr: float, beta2: float) -> tuple[Params, Averages]:
    """The parameters and the averages after a step of rate α = `lr` down the gradient g. Nothing is changed in place;
    with stacked parameters (T, …), v and g are stacked too. No gradient flows through the averages."""
    v = {name: torch.addcmul(beta2 * averages.v[name].detach(), g[name], g[name], value=1 - beta2) for name in phi}
    ones = beta2 * averages.ones.detach() + (1 - beta2)
    moved = {name: torch.addcdiv(p, g[name], v[name].clamp_min(0).sqrt_().mul_(ones.rsqrt()).add_(EPS), value=-lr)
             for name, p in phi.items()}
    return moved, Averages(averages.v | v, ones)
