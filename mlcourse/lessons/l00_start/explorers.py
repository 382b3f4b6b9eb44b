"""The explorers of the lesson, each with something to show: for the benchmark and the browser tests."""

from __future__ import annotations

from mlcourse.datasets import load_splits
from mlcourse.lessons.l00_start.widget_you_against_machine import YouAgainstMachine


def you_against_machine() -> YouAgainstMachine:
    """A quiz against the nearest neighbour alone, whose score is not kept."""
    return YouAgainstMachine(load_splits("glyphs").test, key=None)
