"""Pictures of lesson 10 that stand still."""

from __future__ import annotations

import torch
from torch import Tensor

from mlcourse.exercises.values import tensor
from mlcourse.generators import HandMade
from mlcourse.lessons.l10_data import walk
from mlcourse.plots.static import Picture, strips


def kept(made: Tensor) -> float:
    """How many of the pictures (CHARACTERS, K, 1, 28, 28), above ½, the independent classifier names rightly, in per
    cent."""
    ink = (made > 0.5).float().flatten(0, 1)
    far = torch.cdist(walk.features(ink), walk.prototypes()).unflatten(0, made.shape[:2])
    return 100 * float((far.argmin(-1) == torch.arange(len(made))[:, None]).float().mean())


def sheet(made: object) -> Picture:
    """One drawing of each character that was shown, a view of it, and three samples (CHARACTERS, 3 or more, 1, 28, 28),
    in any form that exercise 10.3 allows."""
    made = tensor(made, None, "the samples must be pictures").float()
    shown = walk.drawings()[:, :1]
    views = HandMade(0.25).draw(shown, 1, torch.Generator().manual_seed(0))
    rows = {"shown": shown[:, 0], "a view": views[:, 0],
            **{f"sample {i + 1}": made[:, i] for i in range(3)}}
    return strips(rows, f"The samples keep their character: ≈{kept(made):.0f} % are named rightly among ten")
