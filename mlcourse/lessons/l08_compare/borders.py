"""A classifier of points of the plane by their distances to labelled points, or to the means of those."""

from __future__ import annotations

import numpy as np

SQUARED, EUCLID, COSINE, L1 = "squared", "Euclidean", "cosine", "L1"
METRICS = (SQUARED, EUCLID, COSINE, L1)
MEANS, EACH = "class means", "each point"
HOW = (MEANS, EACH)
CLASSES, SHOT = 3, 3
POINTS = np.array([[(-2.6, -1.3), (-3.4, 0.2), (-1.2, -0.4)],
                   [(1.8, -1.9), (3.2, -0.8), (1.4, -0.4)],
                   [(-0.4, 2.0), (1.7, 2.2), (0.8, 1.0)]])       # the labelled points of each class
QUERY = np.array([-0.5, 0.4])
ACROSS, UP = 4.8, 3.0         # the plane is shown from -ACROSS to ACROSS and from -UP to UP
COLUMNS, ROWS = 129, 81       # of the points on which it is computed


def distances(x: np.ndarray, to: np.ndarray, metric: str) -> np.ndarray:
    """How far points x (M, 2) lie from others (P, 2) by one of METRICS: (M, P); of cosines 1 - cos, and 1 for a point
    at the origin, which has no direction."""
    apart = x[:, None] - to[None]
    if metric == L1:
        return np.abs(apart).sum(-1)
    if metric == COSINE:
        unit = lambda p: p / np.maximum(np.linalg.norm(p, axis=-1, keepdims=True), 1e-12)
        return 1 - unit(x) @ unit(to).T
    squared = (apart**2).sum(-1)
    return squared if metric == SQUARED else np.sqrt(squared)


def softmax(scores: np.ndarray) -> np.ndarray:
    """Of the last dimension."""
    raised = np.exp(scores - scores.max(-1, keepdims=True))
    return raised / raised.sum(-1, keepdims=True)


def probabilities(x: np.ndarray, points: np.ndarray, metric: str, how: str, tau: float) -> np.ndarray:
    """The class probabilities (M, N) of x (M, 2), by N classes of K labelled points (N, K, 2) at temperature tau.

    MEANS: a softmax over minus the distances to the class means. EACH: a softmax over minus the distances to all N·K
    points, whose shares are added up by class.
    """
    if how == MEANS:
        return softmax(-distances(x, points.mean(1), metric) / tau)
    shares = softmax(-distances(x, points.reshape(-1, 2), metric) / tau)
    return shares.reshape(len(x), *points.shape[:2]).sum(-1)


def plane() -> np.ndarray:
    """ROWS × COLUMNS points of the plane, row by row from the top, its corners included: (ROWS · COLUMNS, 2)."""
    across, up = np.meshgrid(np.linspace(-ACROSS, ACROSS, COLUMNS), np.linspace(UP, -UP, ROWS))
    return np.stack([across, up], -1).reshape(-1, 2)
