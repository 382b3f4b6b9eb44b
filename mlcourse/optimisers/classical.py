"""The optimisers that a learned one has to beat, on many functions at once, each function a race of its own.

All return the losses (steps + 1, B), the one at the start first.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mlcourse.optimisers.quadratics import Quadratics


def momentum(f: Quadratics, theta: Tensor, rates: Sequence[float | Tensor], beta: float | Tensor = 0.0) -> Tensor:
    """Gradient descent with Polyak's momentum, a step for each of `rates`:

        v ← β v + ∇f(θ)          θ ← θ - α v

    rates: α of each step. A rate and β are numbers, or (B, 1) with one for each function. β = 0 is plain descent.
    """
    losses, v = [f(theta)], torch.zeros_like(theta)
    for rate in rates:
        v = beta * v + f.gradient(theta)
        theta = theta - rate * v
        losses.append(f(theta))
    return torch.stack(losses)


def best_momentum(smallest: Tensor, largest: Tensor) -> tuple[Tensor, Tensor]:
    """α and β of the momentum that shrinks the error fastest in the long run on a quadratic whose Hessian has
    eigenvalues from μ = `smallest` to L = `largest` (Polyak 1964):

        α = 4 / (√L + √μ)²          β = ((√L - √μ) / (√L + √μ))²

    The error shrinks by √β a step.
    """
    low, high = smallest.sqrt(), largest.sqrt()
    return 4 / (high + low) ** 2, ((high - low) / (high + low)) ** 2


def adam(f: Quadratics, theta: Tensor, rates: Sequence[float], betas: tuple[float, float] = (0.9, 0.999),
         eps: float = 1e-8) -> Tensor:
    """Adam (Kingma, Ba, ICLR 2015, Algorithm 1), a step for each of `rates`:

        m ← β₁ m + (1 - β₁) g     v ← β₂ v + (1 - β₂) g²     θ ← θ - α (m / (1 - β₁ᵗ)) / (√(v / (1 - β₂ᵗ)) + ε)
    """
    losses, m, v = [f(theta)], torch.zeros_like(theta), torch.zeros_like(theta)
    for t, rate in enumerate(rates, start=1):
        g = f.gradient(theta)
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g.square()
        theta = theta - rate * (m / (1 - betas[0] ** t)) / ((v / (1 - betas[1] ** t)).sqrt() + eps)
        losses.append(f(theta))
    return torch.stack(losses)


def conjugate_gradients(f: Quadratics, theta: Tensor, steps: int) -> Tensor:
    """Conjugate gradients (Hestenes, Stiefel 1952), which reach the minimum of a quadratic of D numbers in D steps but
    for rounding. They are told the Hessian H, one product with it a step; nothing is to be tuned:

        α = r·r / d·Hd     θ ← θ + α d     r ← r - α Hd     d ← r + (r·r / r_old·r_old) d          r = -∇f(θ)
    """
    losses, r = [f(theta)], -f.gradient(theta)
    d, size = r, r.square().sum(-1, keepdim=True)
    for _ in range(steps):
        bent = f.curvature(d)
        rate = _ratio(size, (d * bent).sum(-1, keepdim=True))
        theta, r = theta + rate * d, r - rate * bent
        before, size = size, r.square().sum(-1, keepdim=True)
        d = r + _ratio(size, before) * d
        losses.append(f(theta))
    return torch.stack(losses)


def _ratio(a: Tensor, b: Tensor) -> Tensor:
    """a / b, and 0 where b is 0: at the minimum there is nothing left to do."""
    return torch.where(b > 0, a / b.where(b > 0, 1), 0)
