"""The dull fix: draw the source with the pen of the target, thicker or softer, and change nothing else.

Both are on the shift dial (`domains.shifts`), and two means say how far to turn it: that of the ink, and that of its
edges. No label of the target is needed.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from mlcourse.domains import Domain, shift, shift_domain

GRID = (0.0, 0.25, 0.5, 0.75, 1.0)
LOOKED_AT = 500         # pictures of either domain


def in_the_ink_of(target: Domain, source: Domain, seed: int = 0) -> Domain:
    """The source with the stroke and the blur under which its pen is nearest to the target's."""
    return drawn(source, *nearest(source, target, seed))


def drawn(domain: Domain, stroke: float, blur: float) -> Domain:
    """The domain with thicker strokes and then blurred, each by its severity in [0, 1]."""
    for kind, severity in (("stroke", stroke), ("blur", blur)):
        if severity:
            domain = shift_domain(domain, kind, severity)
    return domain


def nearest(source: Domain, target: Domain, seed: int = 0) -> tuple[float, float]:
    """(stroke, blur) of GRID whose `pen` is nearest to the target's, in units of the target's spread from picture to
    picture."""
    ours, theirs = (_some(domain, seed) for domain in (source, target))
    aim = pen(theirs)
    distance = {settings: float(((pen(images).mean(0) - aim.mean(0)) / aim.std(0)).abs().sum())
                for settings, images in _candidates(ours)}
    return min(distance, key=distance.get)


def _candidates(images: Tensor) -> Iterator[tuple[tuple[float, float], Tensor]]:
    for stroke in GRID:
        thick = shift(images, "stroke", stroke)
        for blur in GRID:
            yield (stroke, blur), shift(thick, "blur", blur)


def pen(images: Tensor) -> Tensor:
    """(M, 2): of each picture the mean ink, and the mean step of the ink from a pixel to its neighbour, relative to
    it."""
    x = images.float() / 255
    ink = x.mean((1, 2, 3))
    steps = x.diff(dim=2).abs().mean((1, 2, 3)) + x.diff(dim=3).abs().mean((1, 2, 3))
    return torch.stack([ink, steps / ink.clamp(min=1e-6)], 1)


def _some(domain: Domain, seed: int) -> Tensor:
    order = torch.randperm(len(domain.images), generator=torch.Generator().manual_seed(seed))
    return domain.images[order[:LOOKED_AT]]
