"""The second explorer of lesson 08: a support drawing is moved, and where a trained network puts it."""

from __future__ import annotations

from typing import NamedTuple

import ipywidgets
import numpy as np

from mlcourse.lessons.l08_compare import moved
from mlcourse.lessons.l08_compare.moved import DRAWINGS, SHIFT, THICKER, TURN, WAY
from mlcourse.lessons.l08_compare.scene_moved import MovedScene
from mlcourse.plots.style import plural
from mlcourse.widgets.base import CONTROL, Explorer, columns

NETWORK, UNTRAINED, PIXELS = "the network", "the network untrained", "nearest pixels"
KEPT, HALF = 15, 10          # from so many right of its DRAWINGS queries on, a class is kept, or half kept; below, lost


class MovedRecord(NamedTuple):
    """One setting. which, shift, turn, stroke: the controls. support (WAY, 28, 28): the drawings, that of class `which`
    moved; before, picture (28, 28): it as it was, and the query. start (2,), places (WAY, 2), asked (2,): where in the
    plane it was, where all are, and where the query is. was, now (WAY,): the query's probabilities without and with the
    move. right: by name how many of the class's queries are right."""

    which: int
    shift: int
    turn: int
    stroke: float
    support: np.ndarray
    before: np.ndarray
    picture: np.ndarray
    start: np.ndarray
    places: np.ndarray
    asked: np.ndarray
    was: np.ndarray
    now: np.ndarray
    right: dict[str, int]


class MoveDrawing(Explorer):
    """Shift, turn or thicken the one labelled drawing of a class, and see what a ProtoNet's features make of it.

    The network is the shipped ProtoNet of the glyphs; the characters are of scripts that it has not seen.

        MoveDrawing(shift=4)
    """

    def __init__(self, *, which: int = 3, shift: int = 0, turn: int = 0, stroke: float = 0.0):
        integer = lambda value, low, high, name, step=1: ipywidgets.IntSlider(
            value=value, min=low, max=high, step=step, description=name, **CONTROL)
        controls = {
            "which": integer(which, 0, WAY - 1, "class"),
            "shift": integer(shift, 0, SHIFT, "shift, pixels"),
            "turn": integer(turn, -TURN, TURN, "turn, degrees", 5),
            "stroke": ipywidgets.FloatSlider(value=stroke, min=0.0, max=THICKER, step=0.2, readout_format=".1f",
                                             description="thicker, pixels", **CONTROL),
            "query": integer(1, 1, DRAWINGS, "query of the class"),
        }
        middle, directions = moved.axes()
        self._plane = lambda z: ((z - middle) @ directions).numpy()
        super().__init__(MovedScene(self._plane(moved.queries()).reshape(WAY, DRAWINGS, 2)), controls,
                         columns(list(controls.values()), 3))

    def compute(self, *, which: int, shift: int, turn: int, stroke: float, query: int) -> MovedRecord:
        task, own = moved.episode(), slice(which * DRAWINGS, (which + 1) * DRAWINGS)
        x, at = moved.support(which, shift, turn, stroke), own.start + query - 1
        was, now = moved.at_first(), moved.seen(x)
        right = {NETWORK: int((now.probabilities[own].argmax(1) == which).sum()),
                 UNTRAINED: int((now.untrained[own] == which).sum()), PIXELS: int((now.pixels[own] == which).sum())}
        return MovedRecord(which, shift, turn, stroke, x[:, 0].numpy(), task.support_x[which, 0].numpy(),
                           task.query_x[at, 0].numpy(), self._plane(was.z[which]), self._plane(now.z),
                           self._plane(moved.queries()[at]), was.probabilities[at].numpy(),
                           now.probabilities[at].numpy(), right)

    def headline(self, record: MovedRecord) -> str:
        way = "against the clock" if record.turn > 0 else "with the clock"
        done = [f"{plural(record.shift, 'pixel')} to the right" if record.shift else "",
                f"turned {abs(record.turn)}° {way}" if record.turn else "",
                f"thicker by {record.stroke:.1f}" if record.stroke else ""]
        said = ", ".join(filter(None, done)) or "as it is"
        net, pixels = record.right[NETWORK], record.right[PIXELS]
        return (f"Class {record.which}, {said}: the network {fate(net)}s it (≈{net} of {DRAWINGS} queries right), "
                f"pixels {fate(pixels)} it (≈{pixels})")

    def describe(self, record: MovedRecord) -> str:
        p = f"≈{record.was[record.which]:.2f} before and ≈{record.now[record.which]:.2f} after"
        return f"Untrained it gets ≈{record.right[UNTRAINED]}. The query's own class has probability {p}."


def fate(right: int) -> str:
    """What becomes of a class of whose queries so many are right: a verb."""
    return "keep" if right >= KEPT else "half keep" if right >= HALF else "lose"
