"""The scene of the prompt player: examples, the line behind them, what each learner says, and how far it is off."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlcourse.lessons.l17_context.player import ACROSS, ALL, GRID, UP, USUAL, prior
from mlcourse.plots.scene import Scene
from mlcourse.plots.style import BLACK, GREY, SERIES

LOOKS = dict(zip(ALL, SERIES, strict=False))
LEAST, LARGEST = 0.02, 60.0


class PlayerScene(Scene):
    """`show` takes a `PlayerRecord`. names: whose lines are drawn, in their order."""

    def __init__(self, names: Sequence[str]):
        self.names = tuple(names)
        super().__init__(10, 3.9)

    def build(self) -> None:
        self._build_lines(self.figure.add_axes((0.06, 0.14, 0.6, 0.66)))
        self._build_off(self.figure.add_axes((0.77, 0.14, 0.21, 0.66)))

    def _build_lines(self, axes) -> None:
        axes.set(xlim=(-ACROSS, ACROSS), ylim=(-UP, UP), xlabel="x", ylabel="y")
        x = np.linspace(-USUAL, USUAL, 60)
        axes.fill_between(x, -prior(x), prior(x), color="#DDE7EE", lw=0, label="90 % of what training showed")
        plot = lambda **style: self.moving(axes.plot([], [], **style)[0])
        self.truth = plot(color=GREY, lw=1.2, label="the line behind the examples")
        self.lines = [plot(color=LOOKS[name]["color"], ls=LOOKS[name]["linestyle"], lw=2.2, label=name)
                      for name in self.names]
        self.points = plot(ls="", marker="o", ms=7, color=BLACK, label="example", zorder=6)
        self.ring = plot(ls="", marker="o", ms=14, mfc="none", mec=BLACK, mew=1.4, label="the one that is moved",
                         zorder=6)
        handles, names = axes.get_legend_handles_labels()
        self.figure.legend(handles, names, loc="upper left", bbox_to_anchor=(0.05, 0.915), ncols=4, fontsize=8,
                           handlelength=2.2, columnspacing=1.2)

    def _build_off(self, axes) -> None:
        rows = range(len(self.names))
        axes.set(xscale="log", xlim=(LEAST, LARGEST), ylim=(len(self.names) - 0.4, -0.6), yticks=rows,
                 yticklabels=self.names, xlabel="off the line (root mean square)")
        axes.set_xticks([0.1, 1, 10], ["0.1", "1", "10"])
        axes.grid(True, axis="x")
        self.dots = [self.moving(axes.plot([], [], ls="", marker=LOOKS[name]["marker"], ms=9,
                                           color=LOOKS[name]["color"])[0]) for name in self.names]

    def show(self, record) -> None:
        self.truth.set_data([-ACROSS, ACROSS], [-record.slope * ACROSS, record.slope * ACROSS])
        self.points.set_data(*record.points.T)
        ringed = record.points[record.ringed:record.ringed + 1] if record.ringed is not None else record.points[:0]
        self.ring.set_data(*ringed.T)
        for y, (name, line, dot) in enumerate(zip(self.names, self.lines, self.dots, strict=True)):
            line.set_data(GRID, record.said[name])
            dot.set_data([np.clip(record.off[name], LEAST, LARGEST)], [y])
