"""Slices of parameter space: many networks on one plane, evaluated by one batched forward pass."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

Params = dict[str, Tensor]
GRID = 19              # points along each side of a slice
CHUNK = 125            # networks evaluated at once: few enough for their activations to stay in the cache


def flatten(params: Params) -> Tensor:
    """All parameters as one vector (P,), in the order of the dict."""
    return torch.cat([p.detach().reshape(-1) for p in params.values()])


def unflatten(vector: Tensor, like: Params) -> Params:
    """The inverse of `flatten`: the vector cut into tensors shaped like `like`."""
    parts = vector.split([p.numel() for p in like.values()])
    return {name: part.view(p.shape) for (name, p), part in zip(like.items(), parts)}


def predictions(net: nn.Module, vectors: Tensor, x: Tensor) -> Tensor:
    """What the networks with parameter vectors (M, P) say at x (S, 1): (M, S)."""
    like = dict(net.named_parameters())
    forward = lambda vector: functional_call(net, unflatten(vector, like), (x,)).squeeze(-1)
    with torch.no_grad():
        return vmap(forward, chunk_size=CHUNK)(vectors)


def squared_errors(prediction: Tensor, y: Tensor) -> Tensor:
    """Mean squared errors (M,) of predictions (M, S) against targets (S,)."""
    return ((prediction - y) ** 2).mean(-1)


class Plane:
    """The plane through `origin` that is spanned by `first` and by what `others` add to it.

    origin, first: (P,); others: (M, P). The first axis points along `first`; the second is the direction in which
    the others, freed of their component along the first, extend most (so that one other point lies in the plane
    exactly). Axes are orthonormal: distances on the plane are distances in parameter space.
    """

    def __init__(self, origin: Tensor, first: Tensor, others: Tensor):
        self.origin = origin
        scale = max(float(first.norm()), 1e-12)
        u = first / scale if float(first.norm()) > 1e-12 else torch.eye(1, len(origin), dtype=origin.dtype)[0]
        rest = others - (others @ u)[:, None] * u
        # the leading right singular vector, through the small Gram matrix of the M rows
        values, vectors = torch.linalg.eigh(rest @ rest.T)
        v = vectors[:, -1] @ rest
        if float(v.norm()) < 1e-9 * max(scale, float(others.norm())):
            v = torch.linspace(-1, 1, len(u), dtype=u.dtype)
            v = v - (v @ u) * u
        else:
            v = v * torch.sign(vectors[:, -1].sum() + 1e-12)
            v = v - (v @ u) * u
        self.u, self.v = u, v / v.norm()

    def coordinates(self, points: Tensor) -> Tensor:
        """Where points (M, P) fall on the plane: (M, 2)."""
        offset = points - self.origin
        return torch.stack([offset @ self.u, offset @ self.v], -1)

    def distance(self, points: Tensor) -> Tensor:
        """How far points (M, P) lie off the plane: (M,)."""
        offset = points - self.origin
        flat = self.coordinates(points)
        return (offset - flat[:, :1] * self.u - flat[:, 1:] * self.v).norm(dim=-1)

    def grid(self, a: Tensor, b: Tensor) -> Tensor:
        """The parameter vectors (len(b) · len(a), P) at the grid points, a varying fastest."""
        across = self.origin + a[:, None] * self.u
        return (across[None] + (b[:, None] * self.v)[:, None]).reshape(-1, len(self.origin))


def frame(points: np.ndarray, aspect: float, margin: float = 0.4) -> tuple[np.ndarray, np.ndarray]:
    """Grid coordinates (GRID,), (GRID,) of a window that holds the points (M, 2).

    The window's width is `aspect` times its height, so that distances look the same both ways. Its size is a power
    of √2 and its centre a multiple of an eighth of that, so that the view stands still while points move a little.
    """
    points = points[np.isfinite(points).all(1)]
    low, high = points.min(0), points.max(0)
    need = max((high[0] - low[0]) / aspect, high[1] - low[1], 1e-3) * (1 + 2 * margin)
    half = 2 ** (np.ceil(2 * np.log2(need * 1.15)) / 2) / 2
    centre = np.round((low + high) / 2 / (half / 4)) * (half / 4)
    return (np.linspace(centre[0] - half * aspect, centre[0] + half * aspect, GRID),
            np.linspace(centre[1] - half, centre[1] + half, GRID))
