"""Horizontal bars that a scene moves: one for each algorithm, with its mark and its number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mlcourse.plots.scene import Scene
from mlcourse.plots.style import SERIES, about

TOP = -0.62         # of the axis: room for the number above the first bar


class Bars:
    """One panel of a scene. box: its axes, in shares of the figure; limit: where the axis ends, and longer bars stop
    without their mark, with an → after their number; named: whether the algorithms stand to its left; unit: written
    after each number."""

    def __init__(self, scene: Scene, box: tuple[float, float, float, float], names: Sequence[str], title: str,
                 ticks: Sequence[float], *, named: bool, unit: str = ""):
        axes, self.limit, self.unit = scene.figure.add_axes(box), max(ticks), unit
        self.axes = axes
        axes.set(xlim=(0, self.limit), ylim=(len(names) - 0.5, TOP), xticks=ticks)
        axes.set_yticks(range(len(names)), names if named else [])
        axes.set_title(title)
        axes.grid(True, axis="x")
        self.bars = []
        for i, (_, style) in enumerate(zip(names, SERIES, strict=False)):
            line = scene.moving(axes.plot([], [], color=style["color"], ls=style["linestyle"], lw=2, clip_on=False)[0])
            end = scene.moving(axes.plot([], [], ls="", color=style["color"], marker=style["marker"], ms=7,
                                         clip_on=False)[0])
            above = (len(names) - 0.5 - (i - 0.2)) / (len(names) - 0.5 - TOP)
            self.bars.append((i, line, end, scene.label(axes, 0.03, above, 8.5)))

    def show(self, values: Mapping[str, float]) -> None:
        """Move the bars to these values, in the order of the names; nan is said to be undefined."""
        for (i, line, end, text), value in zip(self.bars, values.values(), strict=True):
            at = min(value, self.limit) if np.isfinite(value) else np.nan
            line.set_data([0, at], [i, i])
            longer = " →" if value > self.limit else ""
            end.set_data([np.nan if longer else at], [i])
            text.set_text(f"{about(value)}{self.unit}{longer}" if np.isfinite(value) else "not finite")
