"""The scene of the temperature explorer: soft targets, their entropy, the gradient, and the student's errors."""

from __future__ import annotations

import math

import numpy as np

from mlcourse.plots.mosaic import Mosaic
from mlcourse.plots.scene import Scene
from mlcourse.plots.style import BLACK, GREEN, GREY, QUERY, SUPPORT

TEACHER, STUDENT = SUPPORT, QUERY
LEAST, MOST = 2.0**-1, 2.0**4.5     # temperatures
BAR = 0.19                          # half the distance between two bars of a class


def bars(at: np.ndarray, heights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bars from 0 to `heights` at `at`, as one broken line."""
    gap = np.full(len(at), np.nan)
    return np.stack([at, at, gap], 1).ravel(), np.stack([0 * heights, heights, gap], 1).ravel()


class TemperatureScene(Scene):
    """Five panels; `show` takes a `TemperatureRecord`. pictures (M, S, S) in [0, 1]; classes: names; errors: the most
    of any class."""

    def __init__(self, pictures: np.ndarray, classes: tuple[str, ...], errors: int):
        self.pictures, self.classes, self.errors = pictures, classes, errors
        super().__init__(10, 4.4)

    def build(self) -> None:
        axes = self.figure.add_axes((0.035, 0.58, 0.165, 0.27))
        axes.set(xticks=[], yticks=[], xlim=(0, 1), ylim=(1, 0))
        axes.set_title("The picture", fontsize=9.5)
        axes.spines[:].set_visible(True)
        self.tiles = Mosaic(self, axes, "gray", 0, 1)
        self._build_targets(self.figure.add_axes((0.265, 0.58, 0.41, 0.27)))
        self._build_errors(self.figure.add_axes((0.07, 0.12, 0.605, 0.27)))
        self._build_entropy(self.figure.add_axes((0.75, 0.58, 0.235, 0.27)))
        self._build_gradient(self.figure.add_axes((0.75, 0.12, 0.235, 0.27)))

    def _pair(self, axes, width: float) -> list:
        lines = []
        for style, name in ((TEACHER, "teacher"), (STUDENT, "student")):
            axes.plot([], [], lw=7, color=style["color"], label=name)
            lines.append(self.moving(axes.plot([], [], lw=width, solid_capstyle="butt", color=style["color"])[0]))
        return lines

    def _classes(self, axes) -> None:
        n = len(self.classes)
        axes.set(xlim=(-0.6, n - 0.4))
        axes.set_xticks(range(n), self.classes)
        axes.grid(True, axis="y")

    def _build_targets(self, axes) -> None:
        self._classes(axes)
        axes.set(ylim=(0, 1), ylabel="probability at τ", xlabel="class (dashed: its own)")
        axes.set_title("Softmax of logits / τ: teacher left, student right", fontsize=9.5)
        self.own = self.moving(axes.plot([], [], color=GREY, ls="--", lw=1)[0])
        self.targets = self._pair(axes, 8)
        axes.legend(loc="upper right", ncols=2, fontsize=8, handlelength=0.8, borderaxespad=0.1)

    def _build_errors(self, axes) -> None:
        self._classes(axes)
        axes.set(ylim=(0, 1.12 * self.errors), ylabel="pictures named wrong", xlabel="class")
        axes.set_title("Errors on the test half, at τ = 1 as always", fontsize=9.5)
        self.wrong = self._pair(axes, 11)
        axes.legend(loc="upper right", ncols=2, fontsize=8, handlelength=0.8, borderaxespad=0.1)

    def _over_temperature(self, axes, title: str) -> None:
        axes.set(xscale="log", xlim=(LEAST, MOST), xlabel="temperature τ")
        axes.set_xticks((0.5, 1, 2, 5, 10, 20), ("0.5", "1", "2", "5", "10", "20"))
        axes.minorticks_off()
        axes.set_title(title, fontsize=9.5)
        axes.grid(True)

    def _build_entropy(self, axes) -> None:
        self._over_temperature(axes, "Entropy of the soft targets (nats)")
        top = math.log(len(self.classes))
        axes.set(ylim=(0, 1.12 * top))
        axes.axhline(top, color=GREY, ls="--", lw=1)
        axes.annotate(f"log {len(self.classes)}", (LEAST, top), (3, 2), textcoords="offset points", fontsize=8,
                      color="#555555")
        self.mean_entropy = self.moving(axes.plot([], [], color=GREEN, lw=1.8)[0])
        self.own_entropy = self.moving(axes.plot([], [], color=BLACK, ls=":", lw=1.6)[0])
        self.at_entropy = self.moving(axes.plot([], [], "o", color=GREEN, ms=7, mec="white")[0])
        axes.plot([], [], color=GREEN, label="mean of the test half")
        axes.plot([], [], color=BLACK, ls=":", label="this picture")
        axes.legend(loc="lower right", fontsize=7.5, borderaxespad=0.1)

    def _build_gradient(self, axes) -> None:
        self._over_temperature(axes, "Size of the gradient in the logits")
        axes.set(yscale="log", ylim=(3e-4, 20))
        self.bare = self.moving(axes.plot([], [], color=BLACK, ls=":", lw=1.6)[0])
        self.squared = self.moving(axes.plot([], [], color=GREEN, lw=1.8)[0])
        self.at_gradient = self.moving(axes.plot([], [], "o", color=GREEN, ms=7, mec="white")[0])
        axes.plot([], [], color=GREEN, label="times τ²")
        axes.plot([], [], color=BLACK, ls=":", label="without τ²")
        axes.legend(loc="lower left", fontsize=7.5, borderaxespad=0.1)

    def show(self, record) -> None:
        self.tiles.show(1 - self.pictures[record.picture])
        at = np.arange(len(self.classes))
        for line, shift, heights in zip((*self.targets, *self.wrong), (-BAR, BAR) * 2,
                                        (record.p, record.q, record.teacher_errors, record.student_errors)):
            line.set_data(*bars(at + shift, heights))
        self.own.set_data([record.label] * 2, [0, 1])
        self.mean_entropy.set_data(record.temperatures, record.entropies)
        self.own_entropy.set_data(record.temperatures, record.own_entropies)
        self.at_entropy.set_data([record.temperature], [record.entropy])
        self.bare.set_data(record.temperatures, record.gradients)
        self.squared.set_data(record.temperatures, record.gradients * record.temperatures**2)
        self.at_gradient.set_data([record.temperature], [record.gradient])
