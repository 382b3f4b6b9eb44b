"""Two-dimensional Gaussian domains: the smallest picture of a domain shift (lesson 01)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

RADIUS, SPREAD = 2.0, 0.5


def means(classes: int) -> Tensor:
    """The unshifted class means (C, 2) float32: evenly spaced on a circle of radius 2, the first on the x axis."""
    angle = torch.arange(classes) * (2 * math.pi / classes)
    return RADIUS * torch.stack([angle.cos(), angle.sin()], 1)


def gaussians(samples: int = 200, classes: int = 3, *, offset: tuple[float, float] = (0.0, 0.0),
              rotation: float = 0.0, scale: float = 1.0, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Points (M, 2) float32 and labels (M,) int64 of class-conditional Gaussians, M = samples · classes.

    Class c is N(mean_c, 0.5² I) with mean_c from `means`; then every point z becomes scale · R(rotation) z + offset,
    rotation in radians. The same seed gives the same z, so two domains that differ in the shift alone are paired
    point by point, and different seeds give independent samples.
    Raises ValueError for samples < 1, classes < 2, a scale that is not positive, or a value that is not finite.
    """
    if samples < 1 or classes < 2:
        raise ValueError(f"expected at least 1 sample and 2 classes, got {samples} and {classes}")
    if not all(map(math.isfinite, (*offset, rotation, scale))) or scale <= 0:
        raise ValueError(f"offset and rotation must be finite and scale positive, got offset {offset}, "
                         f"rotation {rotation} and scale {scale}")
    labels = torch.arange(classes).repeat_interleave(samples)
    noise = torch.randn(len(labels), 2, generator=torch.Generator().manual_seed(seed))
    z = means(classes)[labels] + SPREAD * noise
    cos, sin = math.cos(rotation), math.sin(rotation)
    turn = torch.tensor([[cos, -sin], [sin, cos]])
    return scale * z @ turn.T + torch.tensor(offset, dtype=torch.float32), labels
