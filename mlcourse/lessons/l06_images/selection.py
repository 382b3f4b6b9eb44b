"""What is gained, on paper, by choosing among checkpoints on the test set."""

from __future__ import annotations

import numpy as np
import torch
from scipy.integrate import quad
from scipy.stats import norm
from torch import Tensor


def expected_best(n: int) -> float:
    """The expected largest of n independent standard normal numbers: n ∫ z φ(z) Φ(z)^(n-1) dz. Raises ValueError for n
    below 1."""
    if n < 1:
        raise ValueError(f"the best is of at least 1 checkpoint, got {n}")
    return quad(lambda z: n * z * norm.pdf(z) * norm.cdf(z) ** (n - 1), -8, 8 + np.sqrt(n).clip(max=8))[0]


def bias(checkpoints: int, episodes: int, spread: float, shared: float = 0.0) -> float:
    """How far the best score of checkpoints of equal skill lies above their skill, in expectation, in units of spread.

    spread: the standard deviation σ of a checkpoint's score on an episode; each is judged on so many episodes. shared:
    the correlation ρ of two checkpoints' scores on the same episode. expected_best(C) · σ √(1 - ρ) / √E.
    """
    return expected_best(checkpoints) * spread * (1 - shared) ** 0.5 / episodes**0.5


def simulated(checkpoints: int, episodes: int, skill: float, queries: int, spread: float, runs: int,
              generator: torch.Generator) -> Tensor:
    """The best mean score of checkpoints of equal skill in each of some runs (runs,), in [0, 1].

    An episode's difficulty is drawn for each checkpoint, from a beta distribution whose mean is `skill`; of its queries
    as many are right as a binomial draw says. The beta distribution is the one that makes `spread` the standard
    deviation of an episode's score. Raises ValueError where no beta distribution does.
    """
    binomial = skill * (1 - skill) / queries
    between = (spread**2 - binomial) / (1 - 1 / queries)
    if not 0 < between < skill * (1 - skill):
        raise ValueError(f"scores of {queries} queries at skill {skill} have a standard deviation above "
                         f"{binomial**0.5:.3f} and below {(skill * (1 - skill)) ** 0.5:.3f}, got {spread}")
    scale = skill * (1 - skill) / between - 1
    draws = np.random.default_rng(int(torch.randint(2**31, (), generator=generator)))
    easy = draws.beta(skill * scale, (1 - skill) * scale, (runs, checkpoints, episodes))
    return torch.from_numpy(draws.binomial(queries, easy) / queries).mean(2).amax(1)
