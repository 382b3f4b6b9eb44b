"""Random features with a linear head: nothing is learned but a ridge regression on a fixed random map.

After Prabhu, Sinha, Kumaraguru, Torr, Sener, Dokania: Random Representations Outperform Online Continually Learned
Representations (RanDumb), NeurIPS 2024, where a linear discriminant stands on such a map. The map: Rahimi and Recht,
Random Features for Large-Scale Kernel Machines, NeurIPS 2007.

    φ(x) = √(2/m) cos(Ωx + b)          Ω from a normal distribution, b uniform in 0 to 2π
    G ← G + Σ φ(x) φ(x)ᵀ,   C ← C + Σ φ(x) yᵀ          as samples arrive, y one-hot
    W = (G + λI)⁻¹ C                                   when asked

Two sums hold all there is to know of all samples: their order does not matter, and no sample is forgotten.
Deviation: ridge regression in place of the discriminant.

`RandomFeaturesAlone` is ours: the same head on the samples of the task at hand alone, so what a task costs without
any other.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from mlcourse.engine.descend import check_rate
from mlcourse.online.strategy import Predictor, Strategy
from mlcourse.phases import check_counts


class RandomFeatures(Strategy):
    """inputs: numbers in a sample. way: labels. features: m. width: standard deviation of the numbers in Ω. penalty: λ.
    Raises ValueError for a count below 1, or a width or penalty that is not positive and finite."""

    def __init__(self, inputs: int, way: int, *, features: int = 1000, width: float = 0.1, penalty: float = 0.1,
                 seed: int = 0):
        check_counts(inputs=inputs, way=way, features=features)
        check_rate(width, "width")
        check_rate(penalty, "penalty")
        generator = torch.Generator().manual_seed(seed)
        self.omega = width * torch.randn(inputs, features, generator=generator)
        self.b = 2 * math.pi * torch.rand(features, generator=generator)
        self.way, self.penalty = way, penalty
        self.G, self.C = torch.zeros(features, features).double(), torch.zeros(features, way).double()
        self._W: Tensor | None = None

    def phi(self, x: Tensor) -> Tensor:
        """φ(x), float64 (M, m), for samples x (M, *D)."""
        return math.sqrt(2 / len(self.b)) * torch.cos(x.flatten(1) @ self.omega + self.b).double()

    def see(self, x: Tensor, y: Tensor) -> None:
        """Both sums grow."""
        z = self.phi(x)
        self.G, self.C = self.G + z.T @ z, self.C + z.T @ F.one_hot(y, self.way).double()
        self._W = None

    def before(self) -> Predictor:
        """φ(x)ᵀ W."""
        if self._W is None:
            eye = torch.eye(len(self.G), dtype=torch.float64)
            self._W = torch.cholesky_solve(self.C, torch.linalg.cholesky(self.G + self.penalty * eye))
        W = self._W
        return lambda x: self.phi(x) @ W


class RandomFeaturesAlone(RandomFeatures):
    """`RandomFeatures`, but adapted by a head of the task's own."""

    def after(self, x: Tensor, y: Tensor) -> Predictor:
        """φ(x)ᵀ W with W = Φᵀ (ΦΦᵀ + λI)⁻¹ Y of the M samples given and no other: M equations in place of m."""
        z = self.phi(x)
        eye = torch.eye(len(z), dtype=torch.float64)
        W = z.T @ torch.linalg.solve(z @ z.T + self.penalty * eye, F.one_hot(y, self.way).double())
        return lambda x: self.phi(x) @ W
