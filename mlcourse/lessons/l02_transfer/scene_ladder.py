"""The scene of the freeze ladder: accuracy over depth and over labels, and what source and target look like."""

from __future__ import annotations

import numpy as np

from mlcourse.lessons.l02_transfer.ladder import LABELS
from mlcourse.lessons.l02_transfer.sources import DEPTHS
from mlcourse.plots.mosaic import ink
from mlcourse.plots.scene import Scene
from mlcourse.plots.style import BLACK, BLUE, GREEN, GREY, VERMILION
from mlcourse.plots.surface import Pixels

SHOWN, GAP = 11, 3
LOWEST = 20             # % at the foot of both panels


class LadderScene(Scene):
    """`show` takes a `LadderRecord`. target: uint8 (SHOWN, S, S), pictures of it; scratch: (labels, mean, half) of a
    network without a source, in %, or None."""

    def __init__(self, target: np.ndarray, scratch: tuple[np.ndarray, ...] | None):
        self.target, self.scratch = target, scratch
        super().__init__(10, 4.1)

    def build(self) -> None:
        for name, left, colour in (("source", 20, BLUE), ("target", 520, BLACK)):
            self.figure.text((left + 2) / 1000, 351 / 410, name, fontsize=9.5, va="center", color=colour)
        self.strip = self.moving(self.figure.add_artist(Pixels(72, 334)))
        self.figure.add_artist(Pixels(572, 334)).rgba = strip_of(self.target)
        self._build_depths(self.figure.add_axes((0.055, 0.125, 0.42, 0.595)))
        self._build_labels(self.figure.add_axes((0.555, 0.125, 0.42, 0.595)))

    def _build_depths(self, axes) -> None:
        x = np.arange(len(DEPTHS))
        axes.set(xlim=(-0.3, x[-1] + 0.3), ylim=(LOWEST, 100), xticks=x, xticklabels=DEPTHS, ylabel="right on the "
                                                                                                    "target (%)")
        axes.set_title("How much is kept")
        axes.grid(True)
        plot = lambda label, **style: self.moving(axes.plot([], [], label=label, **style)[0])
        self.cut = plot("your cut", color=VERMILION, marker="o", ms=13, mfc="none", mew=2, ls="", zorder=6)
        self.depths = plot("from the source", color=BLUE, marker="o")
        self.random_depths = plot("random weights", color=GREY, marker="s", ls="--")
        self.level = self.moving(axes.axhline(0, color=BLACK, ls="-.", lw=1.4, label="no source, all trained"))
        axes.legend(loc="lower left", ncols=2, fontsize=8, handletextpad=0.4, columnspacing=1)

    def _build_labels(self, axes) -> None:
        x = np.arange(len(LABELS))
        axes.set(xlim=(-0.3, x[-1] + 0.3), ylim=(LOWEST, 100), xticks=x, xticklabels=LABELS, xlabel="labels of each "
                                                                                                    "class")
        axes.set_title("Your cut, with more labels")
        axes.grid(True)
        plot = lambda label, **style: self.moving(axes.plot([], [], label=label, **style)[0])
        self.mark = self.moving(axes.axvline(0, color=VERMILION, lw=6, alpha=0.18))
        self.labels = plot("from the source", color=BLUE, marker="o")
        self.random_labels = plot("random weights", color=GREY, marker="s", ls="--")
        self.pixel_line = plot("pixels", color=GREEN, marker="D", ls=":")
        if self.scratch is not None:
            k, mean, half = self.scratch
            at = [LABELS.index(each) for each in k]
            axes.errorbar(at, mean, yerr=half, color=BLACK, marker="X", ls="-.", lw=1.4, capsize=2,
                          label="no source, all trained")
        axes.legend(loc="lower right", fontsize=8)

    def show(self, record) -> None:
        x, at = np.arange(len(DEPTHS)), np.arange(len(LABELS))
        self.strip.rgba = strip_of(record.pictures)
        self.depths.set_data(x, 100 * record.depths)
        self.random_depths.set_data(x, 100 * record.random_depths)
        self.cut.set_data([record.depth], [100 * record.depths[record.depth]])
        self.labels.set_data(at, 100 * record.labels)
        self.random_labels.set_data(at, 100 * record.random_labels)
        self.pixel_line.set_data(at, 100 * record.pixels)
        self.mark.set_xdata([LABELS.index(record.k)] * 2)
        self.level.set_visible(record.scratch is not None)
        if record.scratch is not None:
            self.level.set_ydata([record.scratch] * 2)


def strip_of(pictures: np.ndarray) -> np.ndarray:
    """uint8 (2 S + 2, …, 4): pictures uint8 (SHOWN, S, S) side by side, twice as large."""
    big = [np.pad(ink(each.astype(np.float32) / 255, 2), ((0, 0), (0, GAP), (0, 0)), constant_values=255)
           for each in pictures]
    return np.concatenate(big, 1)
