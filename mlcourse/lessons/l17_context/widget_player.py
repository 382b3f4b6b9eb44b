"""The first explorer of lesson 17: a prompt of examples, and what learners make of it at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import ipywidgets
import numpy as np

from mlcourse.lessons.l17_context import player
from mlcourse.lessons.l17_context.player import DEALS, DEALT, MOST, NETWORK, ORDERS, RIDGE
from mlcourse.lessons.l17_context.scene_player import PlayerScene
from mlcourse.plots.style import about, plural
from mlcourse.widgets.base import CONTROL, Explorer, columns, labelled


class PlayerRecord(NamedTuple):
    """One setting. slope, spread: the controls. points (M, 2): the examples in the order in which they are read;
    ringed: which of them is moved, or None. said: {name: (G,)} over `player.GRID`. off: {name: how far from the line}.
    """

    slope: float
    spread: float
    points: np.ndarray
    ringed: int | None
    said: dict[str, np.ndarray]
    off: dict[str, float]


class PromptPlayer(Explorer):
    """Add, move and reorder the examples of a prompt; nothing is trained.

    names: whose answers are drawn, some of `player.ALL`, `player.NETWORK` and `player.RIDGE` among them.

        PromptPlayer(names=ALL, spread=3)
    """

    def __init__(self, *, names: Sequence[str] = (NETWORK, RIDGE), examples: int = 3, spread: float = 1.0):
        integer = lambda value, low, high, name: ipywidgets.IntSlider(value=value, min=low, max=high, description=name,
                                                                      **CONTROL)
        real = lambda value, low, high, step, name: ipywidgets.FloatSlider(
            value=value, min=low, max=high, step=step, readout_format=".1f", description=name, **CONTROL)
        controls = {
            "examples": integer(examples, 0, MOST, "examples"), "deal": integer(1, 1, DEALS, "deal"),
            "slope": real(1.5, -4.0, 4.0, 0.5, "slope of the line"),
            "spread": real(spread, 0.5, 4.0, 0.5, "all x, times"),
            "which": integer(3, 1, MOST, "move example"), "up": real(0.0, -8.0, 8.0, 0.5, "up by"),
            "order": ipywidgets.ToggleButtons(options=list(ORDERS), value=DEALT, style={"button_width": "7em"}),
        }
        sliders = columns([controls[name] for name in controls if name != "order"], 3)
        super().__init__(PlayerScene(names), controls,
                         ipywidgets.VBox([labelled("read", controls["order"]), sliders]))

    def compute(self, *, examples: int, deal: int, slope: float, spread: float, which: int, up: float,
                order: str) -> PlayerRecord:
        points, at = player.dealt(deal, slope, spread, examples), min(which, examples) - 1
        if examples:
            points[at, 1] += up
        moved = points[at].copy() if examples else None
        points = player.ordered(points, order)
        ringed = int(np.square(points - moved).sum(1).argmin()) if examples else None
        said = player.said(points, names=self.scene.names)
        return PlayerRecord(slope, spread, points, ringed, said,
                            {name: player.off(said[name], slope, spread) for name in said})

    def headline(self, record: PlayerRecord) -> str:
        off = {name: about(value) for name, value in record.off.items()}
        return (f"{plural(len(record.points), 'example')}: {NETWORK} is off the line by {off[NETWORK]}, {RIDGE} by "
                f"{off[RIDGE]}")

    def describe(self, record: PlayerRecord) -> str:
        rest = [f"{name} {about(record.off[name])}" for name in self.scene.names if name not in (NETWORK, RIDGE)]
        beyond = int((np.abs(record.points[:, 0]) > player.USUAL).sum())
        said = f"Off the line: {', '.join(rest)}. " if rest else ""
        return f"{said}The slope is {record.slope:g}. {plural(beyond, 'example')} beyond the x of training."
