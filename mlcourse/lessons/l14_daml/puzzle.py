"""Twelve pictures, six of either kind: the learner is the discriminator."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor

from mlcourse.plots.static import Picture, strips

COUNT = 12


class Twelve(NamedTuple):
    """pictures (12, 1, S, S) in [0, 1]. real: the places, from 1 to 12, of the six real ones."""

    pictures: Tensor
    real: set[int]

    def right(self, places: Iterable) -> int:
        """How many of the twelve are told right by someone who says that the real ones stand at these places."""
        said = set(places)
        return sum((place in said) == (place in self.real) for place in range(1, COUNT + 1))

    def show(self, title: str) -> Picture:
        """The twelve in a row, numbered."""
        shown = strips({"which?": self.pictures}, title, range(1, COUNT + 1))
        return Picture(shown.png, f"{title}, numbered 1 to {COUNT}.", shown.width)


def twelve(real: Tensor, made: Tensor, seed: int = 0) -> Twelve:
    """Six real pictures and six made ones, uint8 or float in [0, 1] (M, 1, S, S), drawn and mixed at random."""
    generator = torch.Generator().manual_seed(seed)
    bright = lambda x: x.float() / 255 if x.dtype == torch.uint8 else x
    six = [bright(x[torch.randperm(len(x), generator=generator)[:COUNT // 2]]) for x in (real, made)]
    order = torch.randperm(COUNT, generator=generator)
    return Twelve(torch.cat(six)[order], {i + 1 for i, row in enumerate(order.tolist()) if row < COUNT // 2})
