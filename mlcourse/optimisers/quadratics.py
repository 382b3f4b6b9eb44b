"""Many small quadratic functions at once.

Andrychowicz et al., Learning to Learn by Gradient Descent by Gradient Descent, NeurIPS 2016, section 3.1:

    f(θ) = |Wθ - y|²        W (D, D) and y (D,) independent and normal
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Quadratics(NamedTuple):
    """B functions of D numbers each: w (B, D, D), y (B, D). The smallest value is 0 where W is invertible."""

    w: Tensor
    y: Tensor

    def __call__(self, theta: Tensor) -> Tensor:
        """f(θ) of θ (B, D): (B,)."""
        return self.residual(theta).square().sum(-1)

    def residual(self, theta: Tensor) -> Tensor:
        """Wθ - y: (B, D)."""
        return (self.w @ theta[..., None])[..., 0] - self.y

    def gradient(self, theta: Tensor) -> Tensor:
        """∇f(θ) = 2 Wᵀ(Wθ - y): (B, D)."""
        return 2 * (self.w.mT @ self.residual(theta)[..., None])[..., 0]

    def curvature(self, direction: Tensor) -> Tensor:
        """The Hessian 2 WᵀW times a direction (B, D): (B, D)."""
        return 2 * (self.w.mT @ (self.w @ direction[..., None]))[..., 0]

    def extremes(self) -> tuple[Tensor, Tensor]:
        """The smallest and the largest eigenvalue of each Hessian, μ and L: (B, 1) each."""
        singular = torch.linalg.svdvals(self.w)
        return 2 * singular[:, -1:] ** 2, 2 * singular[:, :1] ** 2

    def to(self, dtype: torch.dtype) -> Quadratics:
        """The same functions in another type of number."""
        return Quadratics(self.w.to(dtype), self.y.to(dtype))


def random_quadratics(count: int, generator: torch.Generator, size: int = 10) -> tuple[Quadratics, Tensor]:
    """`count` functions of `size` numbers and a start θ₀ (count, size) for each, all entries normal with variance 1.

    Deviation: the paper does not say where θ starts; most code starts at 0.
    """
    normal = lambda *shape: torch.randn(count, *shape, generator=generator)
    return Quadratics(normal(size, size), normal(size)), normal(size)


def of_condition(condition: float, count: int, generator: torch.Generator, size: int = 10, largest: float = 64.0
                 ) -> tuple[Quadratics, Tensor]:
    """As `random_quadratics`, but each Hessian has eigenvalues spaced evenly in their logarithms, from `largest` down
    to largest / condition, and eigenvectors at random.

    largest: 64 is the mean of what random quadratics of ten numbers have. Raises ValueError for a condition below 1.
    """
    if not condition >= 1:
        raise ValueError(f"a condition number is the largest eigenvalue over the smallest, at least 1, got {condition}")
    drawn, start = random_quadratics(count, generator, size)
    u, _, v = torch.linalg.svd(drawn.w)
    eigenvalues = largest * float(condition) ** -torch.linspace(0, 1, size)
    return Quadratics(u * (eigenvalues / 2).sqrt() @ v, drawn.y), start
