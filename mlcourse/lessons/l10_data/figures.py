"""Pictures of lesson 10 that stand still."""

from __future__ import annotations

import torch
from torch import Tensor

from mlcourse.lessons.l10_data import walk
from mlcourse.plots.static import Picture, strips


def kept(made: Tensor) -> float:
    """How many of the pictures (CHARACTERS, K, 1, 28, 28), above ½, the independent classifier names rightly, in per
    cent."""
    ink = (made > 0.5).float().flatten(0, 1)
    far = torch.cdist(walk.features(ink), walk.prototypes()).unflatten(0, made.shape[:2])
    return 100 * float((far.argmin(-1) == torch.arange(len(made))[:, None]).float().mean())


def sheet(made: Tensor, broken: Tensor) -> Picture:
    """A drawing of each character that was shown, and two samples of each (CHARACTERS, 2 or more, 1, 28, 28), by the
    mended and by the broken version."""
    rows = {"shown, 1 of 5": walk.drawings()[:, 0], "mended": made[:, 0], "mended, again": made[:, 1],
            "broken": broken[:, 0], "broken, again": broken[:, 1]}
    return strips(rows, f"Named rightly among ten: ≈{kept(made):.0f} % of the mended samples, ≈{kept(broken):.0f} % of the "
                        "broken version's")
