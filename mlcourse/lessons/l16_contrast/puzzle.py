"""The puzzle that opens lesson 16: eight characters, twice, in two orders."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from mlcourse.domains import Domain
from mlcourse.lessons.l16_contrast.study_contrast import chalk
from mlcourse.probes import class_rows


class Puzzle(NamedTuple):
    """paper, cloth (8, 1, 28, 28) in [0, 1]: drawings by different hands. truth: the place, from 1 to 8, of the partner
    in chalk of each picture on paper."""

    paper: Tensor
    cloth: Tensor
    truth: list[int]

    def right(self, places: list) -> int:
        """How many of eight places are the partner's."""
        return sum(place == partner for place, partner in zip(places, self.truth, strict=True))


def puzzle(domain: Domain, seed: int = 1) -> Puzzle:
    """Eight characters of a domain, drawn at random."""
    generator = torch.Generator().manual_seed(seed)
    classes = torch.randperm(len(domain.classes), generator=generator)[:8]
    hands = torch.rand(8, 20, generator=generator).argsort(1)
    rows = class_rows(domain.labels)[classes].gather(1, hands[:, :2])
    order = torch.randperm(8, generator=generator)
    seen = lambda images: images.float() / 255
    return Puzzle(seen(domain.images[rows[:, 0]]), seen(chalk(domain.images)[rows[order, 1]]),
                  (order.argsort() + 1).tolist())
