"""The explorers of the lesson, each with something to show: for the benchmark and the browser tests."""

from __future__ import annotations

from mlcourse.lessons.l08_compare.widget_borders import DragPrototypes
from mlcourse.lessons.l08_compare.widget_moved import MoveDrawing


def borders() -> DragPrototypes:
    """By squared distances to the means."""
    return DragPrototypes()


def moved() -> MoveDrawing:
    """A drawing that is shifted by four pixels."""
    return MoveDrawing(shift=4)
