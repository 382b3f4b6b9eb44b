"""The explorers of the lesson, each with something to show: for the benchmark and the browser tests."""

from __future__ import annotations

from mlcourse.lessons.l04_first_order.widget_two_valleys import TwoValleys
from mlcourse.lessons.l04_first_order.widget_which_arrow import WhichArrow
from mlcourse.nets import MLP


def which_arrow() -> WhichArrow:
    """Two random networks."""
    return WhichArrow({"random": MLP(seed=0), "another": MLP(seed=1)})


def two_valleys() -> TwoValleys:
    """At a rate at which the points have parted."""
    return TwoValleys(alpha=0.2)
