"""The modified Hausdorff distance between two sets of points.

Dubuisson, Jain: A modified Hausdorff distance for object matching, ICPR 1994: their d6 made symmetric by their f2,

    d(A, B) = mean_{a in A} min_{b in B} |a - b|
    D(A, B) = max(d(A, B), d(B, A))

a mean where Hausdorff has a maximum, so that one stray point does not decide.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree


def ink_points(drawing: np.ndarray) -> np.ndarray:
    """The coordinates of a drawing's ink, bool (H, W), in pixels around their mean: float64 (n, 2). Raises ValueError
    for a drawing without ink."""
    points = np.argwhere(drawing).astype(np.float64)
    if not len(points):
        raise ValueError("the drawing has no ink; leave it out")
    return points - points.mean(0)


def modified_hausdorff(first: list[np.ndarray], second: list[np.ndarray]) -> np.ndarray:
    """The distance of each set of points (n, D) of the first list to each of the second: (len(first), len(second))."""
    one, two = ([KDTree(points) for points in sets] for sets in (first, second))
    return np.array([[max(two[j].query(a)[0].mean(), one[i].query(b)[0].mean()) for j, b in enumerate(second)]
                     for i, a in enumerate(first)])
