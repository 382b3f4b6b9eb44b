"""The pictures of lesson 10: every drawing in one frame, in black and white."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import torch

from mlcourse.datasets import load_splits
from mlcourse.datasets.frame import framed
from mlcourse.domains import Domain
from mlcourse.episode import Splits

INK = 100       # of 255: what is brighter becomes ink


def in_frame(domain: Domain) -> Domain:
    """The domain with every drawing in the frame of `datasets.frame.framed`, its pixels 0 or 255."""
    images = np.stack([framed(picture[0].numpy()) for picture in domain.images.float()])
    return replace(domain, images=torch.from_numpy(255 * (images > INK).astype(np.uint8))[:, None],
                   originals=domain.digests)


@cache
def splits(name: str = "glyphs") -> Splits:
    """Training, validation and test classes of "glyphs" or "omniglot" in the frame."""
    return Splits(*(in_frame(part) for part in load_splits(name)))
