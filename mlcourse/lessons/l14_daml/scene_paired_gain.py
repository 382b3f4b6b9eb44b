"""The scene of the explorer of paired differences: two arms over k, and their difference seed by seed."""

from __future__ import annotations

import numpy as np

from mlcourse.plots.scene import Scene
from mlcourse.plots.style import BLACK, BLUE, GREY, ORANGE, PURPLE


class PairedGainScene(Scene):
    """`show` takes a `PairedGainRecord`. ks: the numbers of labels per class, in order. seeds: how many. low, high: the
    range of the accuracies, %. The axis of differences is as wide as the two arms need at any k."""

    def __init__(self, ks, seeds: int, low: float, high: float):
        self.ks, self.seeds, self.range, self.widest = list(ks), seeds, (low, high), None
        super().__init__(10, 4.3)

    def build(self) -> None:
        axes = self.figure.add_axes((0.07, 0.13, 0.42, 0.72))
        axes.set(xlim=(-0.4, len(self.ks) - 0.6), ylim=self.range, xticks=range(len(self.ks)), xticklabels=self.ks,
                 xlabel="labels per class of the target, k", ylabel="accuracy on target-test, %")
        axes.set_title("Two arms: means over seeds; • a seed; grey line: this k", fontsize=9.5)
        axes.grid(axis="y")
        self.lines = [self.moving(axes.plot([], [], color=color, marker=marker, ls=line, lw=2, ms=6)[0])
                      for color, marker, line in ((BLUE, "^", "-"), (ORANGE, "s", "--"))]
        self.dots = [self.moving(axes.plot([], [], ls="", marker=".", ms=5, color=color, alpha=0.7)[0])
                     for color in (BLUE, ORANGE)]
        self.at = self.moving(axes.plot([], [], color=GREY, lw=1)[0])
        self.names = [self.label(axes, 0.28, 0.11 - 0.065 * i, 9) for i in range(2)]
        for i, (color, marker, line) in enumerate(((BLUE, "^", "-"), (ORANGE, "s", "--"))):
            axes.plot([0.18, 0.26], [0.125 - 0.065 * i] * 2, color=color, marker=marker, ls=line, ms=5,
                      transform=axes.transAxes)
        self.gaps = axes = self.figure.add_axes((0.57, 0.13, 0.41, 0.72))
        axes.set(ylim=(self.seeds + 1.9, -0.7), yticks=range(self.seeds + 2), xlabel="first arm less second, points")
        axes.set_yticklabels([*(f"seed {i}" for i in range(self.seeds)), "paired", "unpaired"], fontsize=8.5)
        axes.axvline(0, color=BLACK, lw=0.8)
        axes.set_title("At this k: ● a seed, ◆ the mean, with 95 % intervals", fontsize=9.5)
        axes.grid(axis="x")
        self.each = self.moving(axes.plot([], [], ls="", marker="o", ms=6, color=BLACK)[0])
        self.intervals = [self.moving(axes.plot([], [], color=color, marker="|", ms=12, lw=2.5, ls=line)[0])
                          for color, line in ((BLACK, "-"), (PURPLE, "--"))]
        self.means = self.moving(axes.plot([], [], ls="", marker="D", ms=6, color=BLACK)[0])

    def show(self, record) -> None:
        if record.widest != self.widest:
            self.widest = record.widest
            self.gaps.set_xlim(-1.05 * self.widest, 1.05 * self.widest)
            self.stale()
        places = np.arange(len(self.ks))
        for line, dots, values in zip(self.lines, self.dots, (record.one, record.other), strict=True):
            line.set_data(places, values.mean(1))
            dots.set_data(np.repeat(places, values.shape[1]), values.ravel())
        at = self.ks.index(record.k)
        self.at.set_data([at, at], self.range)
        for label, name in zip(self.names, record.names, strict=True):
            label.set_text(name)
        n = len(record.differences)
        self.each.set_data(record.differences, np.arange(n))
        for i, (line, half) in enumerate(zip(self.intervals, (record.half, record.unpaired), strict=True)):
            line.set_data([record.mean - half, record.mean + half], [n + i] * 2)
        self.means.set_data([record.mean] * 2, [n, n + 1])
