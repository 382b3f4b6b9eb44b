"""Looks of the same digits: a coloured ground, a scale and a turn, as in Rainbow MNIST, and looks that drift.

Finn, Rajeswaran, Kakade, Levine: Online Meta-Learning, ICML 2019: 7 grounds × 2 scales × 4 quarter turns, 56
tasks there; 6 × 2 × 2 here.
"""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

Colour = tuple[float, float, float]

GROUNDS: dict[str, Colour] = {
    "red": (0.6, 0.0, 0.0), "green": (0.0, 0.5, 0.0), "blue": (0.0, 0.0, 0.7),
    "olive": (0.5, 0.5, 0.0), "purple": (0.5, 0.0, 0.5), "teal": (0.0, 0.5, 0.5)}


class Look(NamedTuple):
    """ground: the colour behind the white ink, red, green and blue in 0 to 1. scale: of the digit, above 0 and at most
    1. turn: counter-clockwise, in degrees."""

    ground: Colour = (0.0, 0.0, 0.0)
    scale: float = 1.0
    turn: float = 0.0


def rendered(images: Tensor, look: Look) -> Tensor:
    """Grey pictures in a look: float32 (M, 3, S, S) in 0 to 1.

    images: uint8 (M, 1, S, S), ink high. Raises ValueError for other images, a colour outside 0 to 1 or a scale outside
    (0, 1].
    """
    if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] != 1 or images.shape[2] != images.shape[3]:
        raise ValueError(f"images must be uint8 of shape (M, 1, S, S), got {images.dtype} of shape "
                         f"{tuple(images.shape)}; load them in grey")
    if not 0 < look.scale <= 1 or not all(0 <= part <= 1 for part in look.ground):
        raise ValueError("a look has a scale above 0 and at most 1, and a ground of three numbers in 0 to 1, got "
                         f"{look}")
    cos, sin = math.cos(math.radians(look.turn)), math.sin(math.radians(look.turn))
    back = torch.tensor([[cos, -sin, 0.0], [sin, cos, 0.0]]) / look.scale       # from a place here to where its ink was
    grid = F.affine_grid(back[None], (1, 1, *images.shape[2:]), align_corners=False)
    ink = F.grid_sample(images.float().div(255).transpose(0, 1), grid, align_corners=False).transpose(0, 1).clamp(0, 1)
    return ink + (1 - ink) * torch.tensor(look.ground).view(1, 3, 1, 1)


def rainbow(scales=(1.0, 0.5), turns=(0.0, 90.0)) -> list[Look]:
    """Every ground at every scale and turn: 24 looks, the grounds changing slowest."""
    return [Look(*each) for each in itertools.product(GROUNDS.values(), scales, turns)]


def drift(start: Look, end: Look, steps: int) -> list[Look]:
    """Away and back: `steps` equal steps from one look to another, and as many home again; 2·steps + 1 looks, the first
    and the last alike. Raises ValueError for fewer than 1 step."""
    if steps < 1:
        raise ValueError(f"a drift needs at least 1 step, got {steps}")
    between = lambda a, b, share: a + share * (b - a)
    away = [Look(tuple(between(a, b, step / steps) for a, b in zip(start.ground, end.ground, strict=True)),
                 between(start.scale, end.scale, step / steps), between(start.turn, end.turn, step / steps))
            for step in range(steps + 1)]
    return away + away[-2::-1]
