"""Descent with momentum on a quadratic, one weight for each curvature, where everything has a formula."""

from __future__ import annotations

import numpy as np

SMALLEST = 1.0
WEIGHTS = 10
GOAL = 1e-3         # of the error at the start


def curvatures(largest: float) -> np.ndarray:
    """Ten curvatures from 1 to the largest, spaced evenly in their logarithms."""
    return np.geomspace(SMALLEST, largest, WEIGHTS)


def factor(curvature: np.ndarray | float, alpha: float, beta: float) -> np.ndarray:
    """By how much a step of rate α with momentum β multiplies the error along a curvature H, in the long run.

    v ← β v + H e, e ← e - α v: the error obeys e'' = (1 + β - αH) e' - β e, so the factor is the larger size of the
    roots of z² - (1 + β - αH) z + β; for β = 0 that is |1 - αH|.
    """
    middle = (1 + beta - alpha * np.asarray(curvature, float)) / 2
    root = np.emath.sqrt(middle**2 - beta)
    return np.maximum(np.abs(middle + root), np.abs(middle - root))


def errors(curvature: np.ndarray, alpha: float, beta: float, steps: int) -> np.ndarray:
    """The error along each curvature (W,) after each step (steps + 1, W), 1 at the start."""
    error, v, path = np.ones_like(curvature), np.zeros_like(curvature), [np.ones_like(curvature)]
    for _ in range(steps):
        v = beta * v + curvature * error
        error = error - alpha * v
        path.append(error)
    return np.stack(path)


def steps_to_goal(worst: float) -> float:
    """How many steps of this factor make the error a thousandth; infinite for a factor of 1 and above."""
    return float(np.log(GOAL) / np.log(worst)) if 0 < worst < 1 else (0.0 if worst == 0 else np.inf)
