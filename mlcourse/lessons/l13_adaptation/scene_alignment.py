"""The scene of the alignment's weight: two covariance matrices, accuracy and PAD over steps, and class shares."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.legend import Legend
from matplotlib.lines import Line2D

from mlcourse.plots.scene import Scene
from mlcourse.plots.style import BLACK, BLUE, GREY, QUERY, SUPPORT

TOP = 45                # % of the bars' axis
PADS = (-1, 2.1)


class AlignmentScene(Scene):
    """`show` takes an `AlignmentRecord`. classes: their names; steps: of a training; size: features in a matrix,
    of how many; scale: the covariance that is drawn darkest."""

    def __init__(self, classes: Sequence[str], steps: int, size: int, of: int, scale: float):
        self.classes, self.steps, self.size, self.of, self.scale = classes, steps, size, of, scale
        super().__init__(10, 3.3)

    def build(self) -> None:
        empty = np.zeros((self.size, self.size))
        self.matrices = []
        for left, name in ((0.012, "source: C_src"), (0.182, "target: C_tgt")):
            axes = self.figure.add_axes((left, 0.16, 0.16, 0.62))
            axes.set(xticks=[], yticks=[])
            axes.set_title(name, fontsize=9.5)
            axes.spines[:].set_visible(True)
            self.matrices.append(self.moving(axes.imshow(empty, cmap="RdBu_r", vmin=-self.scale, vmax=self.scale,
                                                         interpolation="nearest")))
        self.figure.text(0.177, 0.06,
                         f"{self.size} of {self.of} features; red ≥ ≈{self.scale:.2g}, white 0, "
                         f"blue ≤ ≈{-self.scale:.2g}", ha="center", fontsize=8)
        self.accuracy, self.pad = (self.figure.add_axes((0.415, bottom, 0.25, height))
                                   for bottom, height in ((0.5, 0.33), (0.145, 0.17)))
        for axes, title, limits in ((self.accuracy, "accuracy on the target (%)", (20, 85)),
                                    (self.pad, "PAD; grey: its floor", PADS)):
            axes.set(xlim=(-0.03 * self.steps, 1.03 * self.steps), ylim=limits)
            axes.set_title(title, fontsize=9.5)
            axes.grid(True)
        self.accuracy.tick_params(labelbottom=False)
        self.pad.set_xlabel("training steps", labelpad=1)
        line = lambda axes, **style: self.moving(axes.plot([], [], **style)[0])
        self.before = [line(self.accuracy, color=GREY, lw=1, alpha=0.7) for _ in range(8)]
        self.unadapted = line(self.accuracy, color=BLACK, ls=(0, (4, 2)), lw=1.1)
        self.curve = line(self.accuracy, color=QUERY["color"], lw=1.8, marker="s", ms=3.5)
        self.start = line(self.accuracy, color=BLACK, ls="", marker="s", ms=4.5, zorder=4)
        shown = {"no adaptation": self.unadapted, "AdaBN": self.start, "this λ": self.curve}
        self.legends = [self.moving(self.legend(lines)) for lines in (shown, shown | {"earlier": self.before[0]})]
        self.floor = self.moving(self.pad.axhspan(0, 1, color="#DDDDDD", lw=0))
        self.pads = line(self.pad, color=BLUE, lw=1.6, marker="o", ms=3)
        axes, x = self.figure.add_axes((0.715, 0.145, 0.275, 0.685)), np.arange(len(self.classes))
        axes.set(xlim=(-0.6, len(x) - 0.4), ylim=(0, TOP), xticks=x, xticklabels=self.classes)
        axes.set_title("shares of the target's classes (%)", fontsize=9.5)
        axes.grid(True, axis="y")
        axes.axhline(100 / len(x), color=SUPPORT["color"], lw=1, ls=":", label="source")
        self.true = self.moving(*axes.bar(x, np.zeros(len(x)), width=0.7, color="#D9D9D9", zorder=1, label="true"))
        self.said = self.moving(axes.plot([], [], **QUERY, ls="", ms=6, mec="white", zorder=5, label="answers")[0])
        axes.legend(loc="upper right", ncols=3, fontsize=8, handletextpad=0.3, columnspacing=0.8)

    def legend(self, lines: dict[str, Line2D]) -> Legend:
        """A legend of some lines of the accuracies."""
        return self.accuracy.add_artist(Legend(
            self.accuracy, lines.values(), lines, loc="lower left", fontsize=7, ncols=4, handlelength=1.2,
            columnspacing=0.4 if len(lines) > 3 else 0.7, handletextpad=0.4, borderpad=0.1))

    def show(self, record) -> None:
        now, frames = record.frames[-1], record.frames
        self.start.set_data([0], [100 * frames[0].accuracy])
        for legend, wanted in zip(self.legends, (not record.others, bool(record.others)), strict=True):
            legend.set_visible(wanted)
        for image, matrix in zip(self.matrices, (now.source, now.target), strict=True):
            image.set_data(matrix)
        steps = [frame.step for frame in frames]
        self.curve.set_data(steps, [100 * frame.accuracy for frame in frames])
        self.pads.set_data(steps, np.clip([frame.pad for frame in frames], *PADS))
        self.unadapted.set_data([0, self.steps], [100 * record.unadapted] * 2)
        for line, curve in zip(self.before, [*record.others, *[[]] * len(self.before)], strict=False):
            line.set_data([frame.step for frame in curve], [100 * frame.accuracy for frame in curve])
        low, high = np.clip(record.floor, *PADS)
        self.floor.set(y=low, height=high - low)
        for bar, share in zip(self.true, record.shares, strict=True):
            bar.set_height(100 * share)
        self.said.set_data(np.arange(len(self.classes)), np.minimum(100 * now.predicted, TOP - 1))
