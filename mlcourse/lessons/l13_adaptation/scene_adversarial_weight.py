"""The scene of the adversarial weight: both domains' features as training goes, accuracy, PAD, predicted classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlcourse.plots.scene import Scene
from mlcourse.plots.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, QUERY, SKY, SUPPORT, VERMILION

CLASSES = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK, "#7A4A1E", "#5B4BA0", "#9A8F00")
MARGIN = 0.12             # of the embedding's window, on each side
EDGE = 0.02


class AdversarialWeightScene(Scene):
    """`show` takes an `AdversarialRecord`. classes: their names, of one character each, which mark the target's
    pictures; steps: of a training; low, high (2,): where the features lie before it."""

    def __init__(self, classes: Sequence[str], steps: int, low: np.ndarray, high: np.ndarray):
        self.classes, self.steps = classes, steps
        span = high - low
        self.low, self.high = low - MARGIN * span, high + MARGIN * span
        super().__init__(10, 5.6)

    def build(self) -> None:
        axes = self.figure.add_axes((0.015, 0.085, 0.575, 0.80))
        axes.set(xlim=(self.low[0], self.high[0]), ylim=(self.low[1], self.high[1]), xticks=[], yticks=[])
        axes.spines[:].set_visible(True)
        axes.set_title("Features of both domains, on two axes that stay where they are", fontsize=9.5)
        colours = [CLASSES[c % len(CLASSES)] for c in range(len(self.classes))]
        plot = lambda **style: self.moving(axes.plot([], [], ls="", **style)[0])
        self.source = [plot(marker="o", ms=6, color=colour, alpha=0.28, mew=0, zorder=2) for colour in colours]
        self.wrong = plot(marker="s", ms=11, mfc="none", mec="#BBBBBB", mew=0.8, zorder=3)
        self.target = [plot(marker=f"${name}$", ms=7, color=colour, mew=0.3, zorder=4)
                       for name, colour in zip(self.classes, colours)]
        axes.plot([], [], ls="", marker="o", ms=6, color=GREY, alpha=0.5, mew=0, label="source")
        axes.plot([], [], ls="", marker="$3$", ms=7, color=GREY, label="target, its digit")
        axes.plot([], [], ls="", marker="s", ms=9, mfc="none", mec="#BBBBBB", label="named wrong")
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0.005), ncols=3, handletextpad=0.3)
        self._build_panels()

    def _build_panels(self) -> None:
        boxes = [(0.665, bottom, 0.32, 0.2) for bottom in (0.685, 0.385, 0.075)]
        self.accuracy, self.pad, self.bars = (self.figure.add_axes(box) for box in boxes)
        for axes, title, limits in ((self.accuracy, "Accuracy on the target (%); dashed: no adaptation", (0, 100)),
                                    (self.pad, "PAD; hatched: floor; dashed: no adaptation", (-0.5, 2.2))):
            axes.set(xlim=(-0.03 * self.steps, 1.03 * self.steps), ylim=limits)
            axes.set_title(title, fontsize=9.5)
            axes.grid(True)
        self.accuracy.tick_params(labelbottom=False)
        self.pad.set_xlabel("training steps", labelpad=1)
        line = lambda axes, **style: self.moving(axes.plot([], [], **style)[0])
        self.unadapted = line(self.accuracy, color=BLACK, ls=(0, (4, 2)), lw=1.1)
        self.curve = line(self.accuracy, color=GREY, lw=1.6)
        self.here = line(self.accuracy, **QUERY, ls="", ms=8, mec="white", zorder=5)
        self.unadapted_pad = line(self.pad, color=BLACK, ls=(0, (4, 2)), lw=1.1)
        self.floor = self.moving(self.pad.fill_between([0, 1], [0, 0], [0, 0], facecolor="none", edgecolor="#B8B8B8",
                                                       hatch="////", lw=0))
        self.pads = line(self.pad, color=GREY, lw=1.6)
        self.interval = line(self.pad, color=QUERY["color"], lw=2.2)
        self.pad_here = line(self.pad, **QUERY, ls="", ms=8, mec="white", zorder=5)
        self._build_bars(self.bars)

    def _build_bars(self, axes) -> None:
        x = np.arange(len(self.classes))
        axes.set(xlim=(-0.6, len(x) - 0.4), ylim=(0, 45), xticks=x, xticklabels=self.classes)
        axes.set_title("Share of classes (%): bars true, squares predicted", fontsize=9.5)
        axes.grid(True, axis="y")
        axes.axhline(100 / len(x), color=SUPPORT["color"], lw=1, ls=":")
        axes.annotate("source", (len(x) - 0.45, 100 / len(x)), (0, 2), textcoords="offset points", ha="right",
                      fontsize=8, color=SUPPORT["color"])
        self.true = self.moving(*axes.bar(x, np.zeros(len(x)), width=0.7, color="#D9D9D9", zorder=1))
        self.said = self.moving(axes.plot([], [], **QUERY, ls="", ms=6, mec="white", zorder=5)[0])

    def show(self, record) -> None:
        film, at = record.film, record.at
        clip = lambda z: np.clip(z, self.low + EDGE * (self.high - self.low), self.high - EDGE * (self.high - self.low))
        source, target = clip(film.source_z[at]), clip(film.target_z[at])
        for c, (dots, digits) in enumerate(zip(self.source, self.target)):
            dots.set_data(*source[film.source_labels == c].T)
            digits.set_data(*target[film.target_labels == c].T)
        self.wrong.set_data(*target[~film.right[at]].T)
        self.curve.set_data(film.steps, 100 * film.accuracy)
        self.here.set_data([film.steps[at]], [100 * film.accuracy[at]])
        self.unadapted.set_data([0, self.steps], [100 * film.unadapted] * 2)
        low, high = self.pad.get_ylim()
        values = np.clip([pad.value for pad in film.pad], low, high)
        self.pads.set_data(film.steps, values)
        self.unadapted_pad.set_data([0, self.steps], [film.unadapted_pad.value] * 2)
        self.pad_here.set_data([film.steps[at]], [values[at]])
        self.interval.set_data([film.steps[at]] * 2, np.clip([film.pad[at].low, film.pad[at].high], low, high))
        floor = np.clip([film.floor.low, film.floor.high], low, high)
        left, right = self.pad.get_xlim()
        self.floor.set_verts([[(left, floor[0]), (right, floor[0]), (right, floor[1]), (left, floor[1])]])
        for bar, share in zip(self.true, film.shares):
            bar.set_height(100 * share)
        self.said.set_data(np.arange(len(self.classes)), np.minimum(100 * film.predicted[at], 44))
