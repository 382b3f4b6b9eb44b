"""The explorers of the lesson, each with something to show: for the benchmark and the browser tests."""

from __future__ import annotations

from mlcourse.lessons.l02_transfer.widget_head_start import HeadStart
from mlcourse.lessons.l02_transfer.widget_ladder import FreezeLadder


def freeze_ladder() -> FreezeLadder:
    """As it opens."""
    return FreezeLadder()


def head_start() -> HeadStart:
    """As it opens."""
    return HeadStart()
