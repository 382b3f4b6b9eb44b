"""Two-dimensional worlds that differ in one factor of P(x, y): covariate, label and concept shift (lesson 01).

    P(x, y) = P(x) P(y | x) = P(y) P(x | y)

At home x is a round Gaussian around 0 and y = 1 above a line that bends down on the right, with a soft edge.
"""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

SPREAD = 0.8                # standard deviation of x at home
LEVEL, BEND, STEEP = 0.4, 1.4, 1.3          # the edge: x₂ = LEVEL - STEEP · max(0, x₁ - BEND)²
SHARP = 4.0                 # log-odds gained for each unit above the edge
FAR = 3.2                   # how far a covariate shift of severity 1 moves x
MOST = 0.9                  # P(y = 1) at a label shift of severity 1

KINDS = ("covariate shift, to the left", "covariate shift, to the right", "label shift", "concept shift")
LEFT, RIGHT, LABEL, CONCEPT = KINDS


def home_log_odds(x: Tensor) -> Tensor:
    """log P(y = 1 | x) / P(y = 0 | x) at home, (M,) for points x (M, 2)."""
    edge = LEVEL - STEEP * (x[:, 0] - BEND).clamp(min=0).square()
    return SHARP * (x[:, 1] - edge)


@cache
def home_share() -> float:
    """P(y = 1) at home, ∫ P(x) P(y = 1 | x) dx by sums over a grid that reaches six standard deviations."""
    side = torch.linspace(-6 * SPREAD, 6 * SPREAD, 401, dtype=torch.float64)
    x = torch.cartesian_prod(side, side)
    weight = torch.exp(-x.square().sum(1) / (2 * SPREAD ** 2))
    return float((weight * home_log_odds(x).sigmoid()).sum() / weight.sum())


def share(severity: float) -> float:
    """P(y = 1) at a label shift of this severity: from that at home in a straight line to MOST."""
    return home_share() + severity * (MOST - home_share())


def log_odds(kind: str, severity: float, x: Tensor) -> Tensor:
    """log P(y = 1 | x) / P(y = 0 | x) in the shifted world, (M,) for points x (M, 2): what the best classifier knows.

    A covariate shift leaves it as it is at home. A label shift adds the change of the prior's log-odds, by Bayes' rule.
    A concept shift of severity s turns the rule by 180·s degrees counter-clockwise. Raises as `draw` does.
    """
    _check(kind, severity)
    if kind == LABEL:
        logit = lambda p: math.log(p / (1 - p))
        return home_log_odds(x) + logit(share(severity)) - logit(home_share())
    if kind == CONCEPT:
        return home_log_odds(x @ _turn(severity).to(x))
    return home_log_odds(x)


def edge(kind: str, severity: float, reach: float = 9.0) -> Tensor:
    """Points (181, 2) along the best classifier's boundary in the shifted world, where P(y = 1 | x) = ½: a curve over
    -reach to reach, turned in a concept shift. Raises as `draw` does."""
    _check(kind, severity)
    along = torch.linspace(-reach, reach, 181)
    height = LEVEL - STEEP * (along - BEND).clamp(min=0).square()
    curve = torch.stack([along, height], 1)
    if kind == CONCEPT:
        return curve @ _turn(severity).T
    return curve - torch.stack([torch.zeros(181), log_odds(kind, severity, curve) / SHARP], 1)


def draw(kind: str, severity: float, samples: int = 300, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Points x (M, 2) float32 and labels y (M,) int64 of a world shifted in one factor.

    kind: one of KINDS; severity: 0 (home) to 1. Covariate: x moves by FAR · severity along the first axis and P(y | x)
    stays. Label: P(y = 1) goes to MOST and P(x | y) stays. Concept: P(x) stays and the rule P(y | x) turns.
    The same seed moves the same points gradually as severity grows; the points of different seeds are independent.
    Raises ValueError for an unknown kind, a severity outside [0, 1] or fewer than 1 sample.
    """
    _check(kind, severity)
    if samples < 1:
        raise ValueError(f"expected at least 1 sample, got {samples}")
    generator = torch.Generator().manual_seed(seed)
    chance = torch.rand(samples, generator=generator)
    if kind == LABEL:
        return _by_label(chance, share(severity), generator)
    x = SPREAD * torch.randn(samples, 2, generator=generator)
    x[:, 0] += FAR * severity * ((kind == RIGHT) - (kind == LEFT))
    return x, (chance < log_odds(kind, severity, x).sigmoid()).long()


def _by_label(chance: Tensor, ones: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Labels with P(y = 1) = ones, each with a point of P(x | y): home points with that label, in the order drawn."""
    y = (chance < ones).long()
    pool = SPREAD * torch.randn(12 * len(y) + 100, 2, generator=generator)      # far more than needed of either label
    drawn = torch.rand(len(pool), generator=generator) < home_log_odds(pool).sigmoid()
    own = torch.stack([pool[~drawn][:len(y)], pool[drawn][:len(y)]])
    return own[y, torch.arange(len(y))], y


def _turn(severity: float) -> Tensor:
    """The rotation (2, 2) by 180·severity degrees: R z is z turned counter-clockwise, and z turned back is Rᵀ z."""
    cos, sin = math.cos(math.pi * severity), math.sin(math.pi * severity)
    return torch.tensor([[cos, -sin], [sin, cos]])


def _check(kind: str, severity: float) -> None:
    if kind not in KINDS:
        raise ValueError(f"unknown kind of shift {kind!r}; choose one of {'; '.join(KINDS)}")
    if not 0 <= severity <= 1:
        raise ValueError(f"severity must lie between 0 (no change) and 1, got {severity}")


class Line(NamedTuple):
    """The classifier that says 1 where weight · x + bias > 0; weight (2,)."""

    weight: Tensor
    bias: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        return (x @ self.weight + self.bias > 0).long()


def fit_line(x: Tensor, y: Tensor, weight: Tensor | None = None, steps: int = 12, decay: float = 1e-3) -> Line:
    """Logistic regression of labels y (M,) on points x (M, 2) by Newton's method.

    weight (M,): how much each point counts, above 0, brought to a mean of 1; None: alike.
    decay: half of it times the squared norm of the line's weight and bias is added to the mean loss.
    """
    z = torch.cat([x, torch.ones(len(x), 1)], 1).double()
    count = torch.ones(len(x), dtype=torch.float64) if weight is None else weight.double() / weight.double().mean()
    w = torch.zeros(3, dtype=torch.float64)
    pull = decay * torch.eye(3, dtype=torch.float64)
    for _ in range(steps):
        p = (z @ w).sigmoid()
        gradient = z.T @ (count * (p - y)) / len(z) + pull @ w
        w = w - torch.linalg.solve((z.T * (count * p * (1 - p))) @ z / len(z) + pull, gradient)
    return Line(w[:2].to(x), w[2].to(x))


def line_accuracy(line: Line, kind: str, severity: float, samples: int = 20_000,
                  seed: int = 1000) -> tuple[float, float]:
    """The accuracy of a line in a shifted world, and the best that any classifier reaches there (Bayes).

    Means over `samples` points x of P(the answer | x), so that only x is drawn. Raises as `draw` does.
    """
    x, _ = draw(kind, severity, samples, seed)
    one = log_odds(kind, severity, x).sigmoid()
    said = line(x) == 1
    return float(torch.where(said, one, 1 - one).mean()), float(torch.maximum(one, 1 - one).mean())
