"""The explorers of the lesson, each with something to show: for the benchmark and the browser tests."""

from __future__ import annotations

from mlcourse.datasets import load
from mlcourse.domains import deal
from mlcourse.lessons.l01_domains.widget_factor_dial import FactorDial
from mlcourse.lessons.l01_domains.widget_shift_dial import ShiftDial
from mlcourse.nets import Conv4


def shift_dial() -> ShiftDial:
    """A dial for a network that nobody trained."""
    return ShiftDial(Conv4(10, width=32, norm="none"), *deal(load("glyphs-digits"), (0.25, 0.25)))


def factor_dial() -> FactorDial:
    """A dial as it opens."""
    return FactorDial()
