"""What generated pictures are worth: whether they keep their class, differ from each other, and are no copies.

Everything is measured beside real drawings of the same classes, which were not shown to the generator.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Embed = Callable[[Tensor], Tensor]


def class_means(embed: Embed, known: Tensor) -> Tensor:
    """The means (C, D) of known drawings (C, K, 1, S, S), as an independent classifier sees them. embed: its features,
    (M, 1, S, S) → (M, D)."""
    return embed(known.flatten(0, 1)).unflatten(0, known.shape[:2]).mean(1)


def distances(embed: Embed, pictures: Tensor, means: Tensor) -> Tensor:
    """(C, M, C): how far pictures (C, M, 1, S, S) lie from `class_means` (C, D)."""
    return torch.cdist(embed(pictures.flatten(0, 1)), means).unflatten(0, pictures.shape[:2])


def recognised(far: Tensor, way: int, generator: torch.Generator) -> float:
    """The share of pictures that lie nearest to their own class among `way` classes, theirs and others drawn at random;
    way = C: among all. far (C, M, C): `distances`."""
    keys = torch.rand(len(far), len(far), generator=generator).fill_diagonal_(2)
    among = keys.topk(way, 1).indices                                           # the class itself comes first
    return float((far.gather(2, among[:, None].expand(-1, far.shape[1], -1)).argmin(2) == 0).float().mean())


def nearest(pictures: Tensor, others: Tensor) -> Tensor:
    """The distance (C, M), of pixels, of each picture (C, M, 1, S, S) to the nearest of the others (C, K, 1, S, S) of
    its class."""
    return torch.cdist(pictures.flatten(2), others.flatten(2)).amin(2)


def apart(pictures: Tensor) -> float:
    """The mean distance, of pixels, of two of the pictures (C, M, 1, S, S) of a class: 0 where noise is ignored."""
    m = pictures.shape[1]
    return float(torch.cdist(pictures.flatten(2), pictures.flatten(2)).sum((1, 2)).mean() / (m * (m - 1)))


def memorised(pictures: Tensor, trained: Tensor, held_out: Tensor) -> tuple[float, float]:
    """The mean `nearest` distance of pictures to drawings of their classes that the generator was trained on, and to as
    many that it was not. A generator that repeats what it saw is nearer to the first.

    Raises ValueError where they are not as many.
    """
    if trained.shape != held_out.shape:
        raise ValueError("to compare distances there must be as many drawings of both kinds, got "
                         f"{tuple(trained.shape)} and {tuple(held_out.shape)}")
    return float(nearest(pictures, trained).mean()), float(nearest(pictures, held_out).mean())
