"""The scene of the label-shift dial: shares of the classes, two tables of answers by label, and three accuracies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlcourse.plots.scene import Scene
from mlcourse.plots.style import GREEN, GREY, QUERY

TOP = 45                # % of the bars' axis
ASIDE = 0.16            # of a mark from the middle of its bar
HANDLING = ("as it is", "BBSE", "true shares")


class LabelShiftScene(Scene):
    """`show` takes a `LabelShiftRecord`. classes: their names."""

    def __init__(self, classes: Sequence[str]):
        self.classes = classes
        super().__init__(10, 3.3)

    def build(self) -> None:
        n = len(self.classes)
        axes, x = self.figure.add_axes((0.035, 0.145, 0.31, 0.63)), np.arange(n)
        axes.set(xlim=(-0.6, n - 0.4), ylim=(0, TOP), xticks=x, xticklabels=self.classes)
        axes.set_title("shares of the target's classes (%)", fontsize=9.5)
        axes.grid(True, axis="y")
        self.true = self.moving(*axes.bar(x, np.zeros(n), width=0.75, color="#D9D9D9", zorder=1, label="true"))
        mark = lambda **style: self.moving(axes.plot([], [], ls="", mec="white", zorder=5, **style)[0])
        self.said = mark(**QUERY, ms=6, label="answers")
        self.estimate = mark(color=GREEN, marker="D", ms=6, label="BBSE")
        axes.legend(loc="upper right", ncols=3, fontsize=8, handletextpad=0.3, columnspacing=0.8)
        self.tables = []
        for left, name in ((0.385, "P(answer | label): source"), (0.56, "target (hidden)")):
            axes = self.figure.add_axes((left, 0.145, 0.155, 0.63))
            axes.set(xticks=x, xticklabels=self.classes, yticks=x, yticklabels=self.classes if not self.tables else [])
            axes.set_title(name, fontsize=9.5)
            axes.tick_params(labelsize=7, length=0)
            axes.set_xlabel("label; white 0, black 1", labelpad=1, fontsize=8)
            if not self.tables:
                axes.set_ylabel("answer", labelpad=0)
            self.tables.append(self.moving(axes.imshow(np.zeros((n, n)), cmap="Greys", vmin=0, vmax=1, aspect="auto",
                                                       interpolation="nearest")))
        axes = self.figure.add_axes((0.815, 0.145, 0.155, 0.63))
        axes.set(xlim=(0, 100), ylim=(2.6, -0.6), yticks=range(3), yticklabels=HANDLING)
        axes.set_title("accuracy on the target (%)", fontsize=9.5, loc="right")
        axes.grid(True, axis="x")
        colours = (QUERY["color"], GREEN, GREY)
        self.bars = self.moving(*axes.barh(range(3), [0, 0, 0], height=0.6, color=colours))
        self.values = [self.moving(axes.text(2, y, "", va="center", fontsize=9, color="white", fontweight="bold"))
                       for y in range(3)]

    def show(self, record) -> None:
        x = np.arange(len(self.classes))
        for bar, share in zip(self.true, record.true, strict=True):
            bar.set_height(100 * share)
        self.said.set_data(x - ASIDE, np.minimum(100 * record.said, TOP - 1))
        self.estimate.set_data(x + ASIDE, np.minimum(100 * record.estimate, TOP - 1))
        for image, table in zip(self.tables, (record.at_home, record.away), strict=True):
            image.set_data(table)
        for bar, text, accuracy in zip(self.bars, self.values, record.accuracies, strict=True):
            bar.set_width(100 * accuracy)
            text.set_text(f"≈{100 * accuracy:.0f}")
