"""The scene of lesson 04's two quadratics: where each algorithm comes to rest, and the losses there."""

from __future__ import annotations

import numpy as np

from mlcourse.lessons.l04_first_order.bars import Bars
from mlcourse.plots.scene import Scene
from mlcourse.plots.style import BLACK, GREY, SERIES

LEVELS = (0.03, 0.08)        # of the losses drawn as ellipses
ROUND = np.linspace(0, 2 * np.pi, 61)


class TwoValleysScene(Scene):
    """Three panels; `show` takes a `TwoValleysRecord`. algorithms: the names of the points, in order."""

    def __init__(self, algorithms: tuple[str, ...]):
        self.algorithms = algorithms
        super().__init__(9.6, 3.9)

    def build(self) -> None:
        axes = self.figure.add_axes((0.06, 0.195, 0.42, 0.66))
        axes.set(xlim=(-0.85, 1.85), ylim=(-0.42, 1.42), xticks=(-0.5, 0, 0.5, 1, 1.5), yticks=(0, 0.5, 1),
                 xlabel="weight θ₁", ylabel="weight θ₂", aspect="equal")
        axes.set_title("Where the outer loop comes to rest")
        self.tasks = []
        for name, line in zip("AB", ("-", "--"), strict=True):
            rings = [self.moving(axes.plot([], [], color=GREY, lw=1.2, ls=line)[0]) for _ in LEVELS]
            low = self.moving(axes.text(0, 0, name, ha="center", va="center", fontsize=12, fontweight="bold"))
            axes.plot([], [], color=GREY, lw=1.2, ls=line,
                      label=f"task {name}: losses {LEVELS[0]:g} and {LEVELS[1]:g}")
            self.tasks.append((rings, low))
        axes.plot([], [], color=BLACK, lw=1.4, label="lines: from α = 0 to this α")
        self.points = {}
        for name, style in zip(self.algorithms, SERIES, strict=False):
            path = self.moving(axes.plot([], [], color=style["color"], lw=1.4, ls=style["linestyle"], alpha=0.7)[0])
            at = self.moving(axes.plot([], [], ls="", ms=7, mec="white", mew=0.9, zorder=6, color=style["color"],
                                       marker=style["marker"])[0])
            self.points[name] = (path, at)
        self.figure.legend(*axes.get_legend_handles_labels(), loc="lower left", ncols=3, fontsize=8.5)
        rows = (0.195, 0.66)
        self.before = Bars(self, (0.645, rows[0], 0.15, rows[1]), self.algorithms, "Mean loss there", (0, 0.5, 1),
                           named=True)
        self.after = Bars(self, (0.835, rows[0], 0.15, rows[1]), self.algorithms, "After one step", (0, 0.5, 1),
                          named=False)

    def show(self, record) -> None:
        circle = np.stack([np.cos(ROUND), np.sin(ROUND)], 1)
        for (rings, low), a, c in zip(self.tasks, record.a, record.c, strict=True):
            for ring, level in zip(rings, LEVELS, strict=True):
                ring.set_data(*(c + circle * np.sqrt(2 * level / a)).T)
            low.set_position(c)
        for name, (path, at) in self.points.items():
            path.set_data(*record.paths[name].T)
            at.set_data(*record.paths[name][-1:].T)
        self.before.show(record.before)
        self.after.show(record.after)
