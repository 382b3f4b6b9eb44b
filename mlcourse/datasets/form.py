"""The form that pictures are brought into: their side, and whether they keep their colours."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from mlcourse.datasets.pictures import area_weights
from mlcourse.domains import Domain

LARGEST = 512           # pixels of a side


class Form(NamedTuple):
    """Square pictures of `side` pixels: grey with the ink high, or of three channels, red, green and blue, as they are.

    framed: digits of the course's sources stand in one frame (`datasets.frame`); with False they come as they are.
    """

    side: int = 28
    colour: bool = False
    framed: bool = True

    @property
    def channels(self) -> int:
        """3 in colour, else 1."""
        return 3 if self.colour else 1

    def check(self) -> None:
        """Raises ValueError for a side outside 1..512."""
        if not 1 <= self.side <= LARGEST:
            raise ValueError(f"side must lie between 1 and {LARGEST} pixels, got {self.side}")

    def of(self, domain: Domain) -> Domain:
        """A domain of grey pictures in this form: averaged down or enlarged bicubically, in colour grey three times.

        The same object where nothing changes; its pictures are known by the digests that they had. Raises ValueError
        for sequences in another form than the usual one.
        """
        if self != Form():
            domain.check_pictures("a side and colours are")
        if domain.sequences:
            return domain
        images = resized(domain.images, self.side)
        if images is domain.images and not self.colour:
            return domain
        how = "averaged down" if self.side < domain.images.shape[-1] else "enlarged bicubically"
        said = [domain.note, f"{how} to {self.side}×{self.side}" * (images is not domain.images),
                "the same grey in three channels" * self.colour]
        return replace(domain, images=images.expand(-1, self.channels, -1, -1), originals=domain.digests,
                       note=", ".join(filter(None, said)))


GREY = Form()           # what the lessons use


def resized(images: Tensor, side: int) -> Tensor:
    """uint8 images (M, C, S, S) at another side: smaller ones by area averaging, larger ones bicubically; the same
    object where the side is theirs."""
    now, parts = images.shape[-1], []
    if now == side:
        return images
    for part in images.split(1024):
        x = part.float()
        if side < now:
            weights = torch.from_numpy(area_weights(now, side))
            x = weights @ x @ weights.T
        else:
            x = F.interpolate(x, (side, side), mode="bicubic", antialias=True)
        parts.append(x.round().clamp(0, 255).byte())
    return torch.cat(parts)
