"""One frame for digits of every source: their ink in a box of 20×20 pixels, centred by its mass in 28×28, as
MNIST's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from PIL import Image

from mlcourse.datasets.form import Form
from mlcourse.domains import Domain

BOX = 20 / 28           # of the picture's side
UNFRAMED = "@unframed"  # what a name ends in whose pictures come as they are


def framed(image: np.ndarray, side: int = 28, share: float = BOX) -> np.ndarray:
    """A picture's ink in the frame: float32 (side, side).

    image: float32 (H, W), ink high and nothing below 0. The box of all ink is brought to `share` of the side, the
    longer edge of it, bicubically and in its own proportions; then its centre of mass is moved to pixel (side/2,
    side/2), as nearly as whole pixels and the picture's edges allow. A blank picture stays blank.
    """
    out = np.zeros((side, side), np.float32)
    rows, columns = np.flatnonzero(image.any(1)), np.flatnonzero(image.any(0))
    if not len(rows):
        return out
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    scale = max(1, round(share * side)) / max(bottom - top, right - left)
    width, height = max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale))
    ink = Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC, box=(left, top, right, bottom))
    ink = np.asarray(ink).clip(0, image.max())
    total = ink.sum()
    y, x = (_placed(np.arange(n) @ ink.sum(axis) / total, n, side) for n, axis in ((height, 1), (width, 0)))
    out[y:y + height, x:x + width] = ink
    return out


def _placed(centre: float, length: int, side: int) -> int:
    return min(max(round(side / 2 - centre), 0), side - length)


def in_frame(domain: Domain, form: Form, ink: np.ndarray) -> Domain:
    """A source's domain in this form: every picture in the frame, or `as_it_comes` where `form.framed` is False.

    domain: grey pictures as they come. ink: the same pictures as the source has them, float32 (M, H, W) from 0 to 255.
    """
    if not form.framed:
        return as_it_comes(domain, form)
    images = np.stack([framed(picture, form.side) for picture in ink]).round().astype(np.uint8)
    note = f"{domain.note}, the ink in a box of 20/28 of the side, centred by its mass"
    return form.of(replace(domain, images=torch.from_numpy(images)[:, None], originals=domain.digests, note=note))


def as_it_comes(domain: Domain, form: Form) -> Domain:
    """A source's domain in this form, its pictures not moved; its name ends in "@unframed" where that was asked for."""
    return form.of(domain if form.framed else replace(domain, name=domain.name + UNFRAMED))
