"""The scene of lesson 07's tuning by hand: the error over the steps, and the factor of a step over the curvature."""

from __future__ import annotations

import numpy as np

from mlcourse.plots.scene import Scene
from mlcourse.plots.style import BLACK, BLUE, GREY, ORANGE, VERMILION

STEPS = 60
LARGEST = 100.0
HIGHEST = 1e3       # of the errors that are drawn


class RateAndMomentumScene(Scene):
    """Two panels; `show` takes a `RateAndMomentumRecord`."""

    def __init__(self):
        super().__init__(9.6, 3.6)

    def build(self) -> None:
        left = self.figure.add_axes((0.075, 0.15, 0.4, 0.7))
        left.set(xlim=(0, STEPS), ylim=(1e-5, HIGHEST), yscale="log", xlabel="step", ylabel="error, at the start 1")
        left.set_title("The error along three directions")
        left.axhline(1e-3, color=GREY, ls=":", lw=1.2, label="a thousandth")
        styles = ((BLUE, "-", "o", "flattest"), (ORANGE, "-.", "D", "between"), (VERMILION, "--", "s", "steepest"))
        self.paths = [self.moving(left.plot([], [], color=color, ls=line, marker=mark, markevery=(5 + 3 * i, 15), ms=5,
                                            label=name)[0]) for i, (color, line, mark, name) in enumerate(styles)]
        left.legend(loc="upper right", ncols=2)
        right = self.figure.add_axes((0.57, 0.15, 0.41, 0.7))
        right.set(xlim=(0.9, 1.1 * LARGEST), ylim=(0, 1.6), xscale="log", xlabel="curvature H of the direction",
                  ylabel="factor of a step")
        right.set_xticks([1, 3, 10, 30, 100], ["1", "3", "10", "30", "100"])
        right.minorticks_off()
        right.set_title("What a step multiplies the error by")
        right.axhline(1, color=BLACK, lw=1)
        right.annotate("above: grows", (1, 1.03), fontsize=8.5)
        right.axhspan(1, 1.6, color="#F3E3DC", lw=0)
        self.curve = self.moving(right.plot([], [], color=GREY, lw=1.4)[0])
        self.dots = self.moving(right.plot([], [], ls="", marker="o", ms=5.5, color=BLACK)[0])
        self.worst = self.moving(right.plot([], [], ls="", marker="o", ms=12, mfc="none", mec=VERMILION, mew=1.8)[0])
        right.plot([], [], ls="", marker="o", ms=5.5, color=BLACK, label="the ten directions")
        right.plot([], [], ls="", marker="o", ms=10, mfc="none", mec=VERMILION, mew=1.8, label="the slowest")
        right.legend(loc="upper right")

    def show(self, record) -> None:
        for line, index in zip(self.paths, (0, len(record.curvatures) // 2, -1), strict=True):
            size = np.abs(record.errors[:, index])
            size[np.maximum.accumulate(size) > HIGHEST] = np.nan
            line.set_data(np.arange(len(size)), np.maximum(size, 1e-9))
        at = np.geomspace(record.curvatures[0], record.curvatures[-1], 60)
        self.curve.set_data(at, np.minimum(record.between(at), 1.58))
        factors = np.minimum(record.factors, 1.58)
        self.dots.set_data(record.curvatures, factors)
        slowest = record.slowest
        self.worst.set_data([record.curvatures[slowest]], [factors[slowest]])
