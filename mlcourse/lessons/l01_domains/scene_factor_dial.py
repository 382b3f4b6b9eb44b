"""The scene of the factor dial: a two-dimensional world at home and away, with the line that was fitted at home."""

from __future__ import annotations

import numpy as np

from mlcourse.lessons.l01_domains.scene_shift_dial import Gauge
from mlcourse.plots.scene import Scene
from mlcourse.plots.style import BLACK, BLUE, GREEN, VERMILION

REACH = (5.6, 3.4)


class WorldPanel:
    """One world: its points by label, the best boundary, and the fixed line with the side that it calls 1."""

    def __init__(self, scene: Scene, axes, title: str):
        axes.set(xlim=(-REACH[0], REACH[0]), ylim=(-REACH[1], REACH[1]), title=title, xlabel="x₁", ylabel="x₂")
        axes.grid(True)
        plot = lambda **style: scene.moving(axes.plot([], [], **style)[0])
        self.zeros = plot(color=BLUE, marker="o", ls="", ms=4.5, mew=0, alpha=0.65, label="y = 0")
        self.ones = plot(color=VERMILION, marker="^", ls="", ms=5.5, mew=0, alpha=0.75, label="y = 1")
        self.best = plot(color=GREEN, ls="--", lw=2, label="best boundary here")
        self.line = plot(color=BLACK, lw=2.2, label="the line fitted at home")
        self.axes = axes

    def show(self, x: np.ndarray, y: np.ndarray, best: np.ndarray, line: np.ndarray) -> None:
        """Move everything: points x (M, 2), labels y (M,), the best boundary and the line as points (·, 2)."""
        self.zeros.set_data(*x[y == 0].T)
        self.ones.set_data(*x[y == 1].T)
        self.best.set_data(*best.T)
        self.line.set_data(*line.T)


class FactorDialScene(Scene):
    """`show` takes a `FactorRecord`. floor: the PAD interval of home against home."""

    def __init__(self, floor: tuple[float, float]):
        self.floor = floor
        super().__init__(10, 4.9)

    def build(self) -> None:
        figure = self.figure
        self.home = WorldPanel(self, figure.add_axes((0.045, 0.505, 0.54, 0.325)), "Home: where the line was fitted")
        self.home.axes.set_xlabel("")
        self.home.axes.tick_params(labelbottom=False)
        self.away = WorldPanel(self, figure.add_axes((0.045, 0.085, 0.54, 0.33)),
                               "Away: where the line is used (it calls 1 what lies above)")
        figure.legend(handles=[self.home.zeros, self.home.ones, self.home.best, self.home.line], ncols=4,
                      loc="center", bbox_to_anchor=(0.315, 0.895), handletextpad=0.4, columnspacing=1.4)
        gauge = lambda box, *about, **more: Gauge(self, figure.add_axes(box), *about, **more)
        self.accuracy = gauge((0.655, 0.505, 0.325, 0.325), "Accuracy of the line; dashed: the best possible (%)",
                              (0, 112))
        self.best = self.moving(self.accuracy.axes.plot([], [], color=GREEN, ls="--", lw=2)[0])
        self.pad = gauge((0.655, 0.085, 0.325, 0.33), "PAD of x (grey: over seeds; hatched: no shift)", (-0.5, 2.4),
                         last=True)
        self.pad.floor(*self.floor)
        self.accuracy.legend(figure, 0.905, "every severity, 95 % band")

    def show(self, record) -> None:
        self.home.show(record.home_x, record.home_y, record.home_edge, record.line)
        self.away.show(record.x, record.y, record.edge, record.line)
        value = 100 * record.accuracy
        percent = record.curves["accuracy"]
        self.accuracy.show(record.severity, value, value, value, percent)
        self.best.set_data(record.severities, 100 * record.best_curve)
        self.pad.show(record.severity, *record.pad, record.curves["pad"])
