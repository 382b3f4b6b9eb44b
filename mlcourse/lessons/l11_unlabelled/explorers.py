"""The explorers of the lesson, each with something to show: for the benchmark and the browser tests."""

from __future__ import annotations

from mlcourse.lessons.l11_unlabelled.widget_mask import MaskDial
from mlcourse.lessons.l11_unlabelled.widget_pool import EVERY, PoolDials

__all__ = ["EVERY", "MaskDial", "PoolDials", "mask_dial", "pool_dials"]


def pool_dials() -> PoolDials:
    """All rules, an even pool of the five classes."""
    return PoolDials(rules=EVERY)


def mask_dial() -> MaskDial:
    """With five other classes in the pool."""
    return MaskDial()
