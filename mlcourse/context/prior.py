"""Linear regression as a prior over tasks: what a model that learns in context is trained on.

Garg, Tsipras, Liang, Valiant: What Can Transformers Learn In-Context? A Case Study of Simple Function Classes, NeurIPS
2022, section 2; with noise, and tasks from a pool, as in Raventós, Paul, Chen, Ganguli: Pretraining Task Diversity and
the Emergence of Non-Bayesian In-Context Learning for Regression, NeurIPS 2023.

    w ~ N(0, I),  x_i ~ N(0, I),  y_i = w·x_i + σ ε_i,  ε_i ~ N(0, 1)
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor


class Prompt(NamedTuple):
    """B prompts of n points: x (B, n, d), y (B, n), and the weights w (B, d) of the tasks."""

    x: Tensor
    y: Tensor
    w: Tensor

    @property
    def clean(self) -> Tensor:
        """w·x, the targets without their noise: (B, n)."""
        return (self.x @ self.w.unsqueeze(-1)).squeeze(-1)

    def to(self, *args) -> Prompt:
        """All three on a device, or of a dtype."""
        return Prompt(*(part.to(*args) for part in self))


class LinearTasks:
    """Draws prompts of linear regression.

    dims: d. points: n. noise: σ. pool: weights (M, d) of M tasks, of which each prompt has one; None: w ~ N(0, I), new
    for each prompt. x_scale, w_scale: factors on x and on w; other than 1 they leave the prior of a trained model.
    Raises ValueError for sizes below 1, a negative noise, or a pool of other than d columns.
    """

    def __init__(self, dims: int = 5, points: int = 11, noise: float = 0.5, *, pool: Tensor | None = None,
                 x_scale: float = 1.0, w_scale: float = 1.0):
        if min(dims, points) < 1:
            raise ValueError(f"a prompt needs at least 1 dimension and 1 point, got {dims} and {points}")
        if not (math.isfinite(noise) and noise >= 0):
            raise ValueError(f"the noise must be finite and not negative, got {noise}")
        if pool is not None and (pool.ndim != 2 or pool.shape[1] != dims or not len(pool)):
            raise ValueError(f"a pool holds the weights of its tasks, (M, {dims}), got {tuple(pool.shape)}")
        self.dims, self.points, self.noise, self.pool = dims, points, noise, pool
        self.x_scale, self.w_scale = x_scale, w_scale

    def sample(self, batch: int, generator: torch.Generator, *, used: int | None = None,
               points: int | None = None) -> Prompt:
        """So many prompts. used: the curriculum's dimensions: the others of x are 0, while w stays whole. points: how
        many, where it is not the number of all prompts. Raises ValueError for used dimensions outside 1..d."""
        used = self.dims if used is None else used
        if not 1 <= used <= self.dims:
            raise ValueError(f"a curriculum uses 1 to {self.dims} dimensions, got {used}")
        normal = lambda *shape: torch.randn(batch, *shape, generator=generator)
        x = self.x_scale * normal(points or self.points, self.dims)
        x[..., used:] = 0
        if self.pool is None:
            w = normal(self.dims)
        else:
            w = self.pool[torch.randint(len(self.pool), (batch,), generator=generator)]
        prompt = Prompt(x, x[..., 0], self.w_scale * w)
        return prompt._replace(y=prompt.clean + self.noise * normal(x.shape[1]))


def curriculum(step: int, start: int, end: int, every: int, by: int = 1) -> int:
    """A size that grows from `start` to `end`, by `by` every `every` steps. In the paper dimensions grow from 5 to 20
    by 1 and points from 11 to 41 by 2, both every 2,000 steps.
    """
    return min(end, start + by * (step // every))
