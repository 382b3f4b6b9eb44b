"""The scene of mixtures: two drawings, what a layer sees of both and of their mixture, and answers along λ."""

from __future__ import annotations

import numpy as np

from mlcourse.plots.mosaic import ink
from mlcourse.plots.scene import Scene
from mlcourse.plots.style import BLACK, BLUE, GREY, VERMILION
from mlcourse.plots.surface import Pixels

WIDE, HIGH, SIDE = 1000, 370, 145
SHARES = 21
FIRST, SECOND, OTHERS = dict(color=BLUE, marker="o"), dict(color=VERMILION, marker="s"), dict(color=GREY, marker="^")


class MixScene(Scene):
    """`show` takes a `MixRecord`."""

    def __init__(self):
        super().__init__(WIDE / 100, HIGH / 100)

    def build(self) -> None:
        write = lambda x, y, text, **style: self.figure.text(x / WIDE, y / HIGH, text, fontsize=9.5, va="center",
                                                             **style)
        place = lambda x, y: self.moving(self.figure.add_artist(Pixels(x, y)))
        for x, text, look in ((10, "the first", FIRST), (165, "mixed", dict(color=BLACK)), (320, "the second", SECOND)):
            write(x, 322, text, color=look["color"], fontweight="bold")
        self.drawings = [place(10, 252), place(320, 252)]
        write(10, 222, "what the layer sees in the mixup network (dark: high)")
        self.seen = [place(x, 66) for x in (10, 165, 320)]
        axes = self.figure.add_axes((0.53, 0.15, 0.29, 0.66))
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.03, 1.03), xlabel="λ, share of the first", ylabel="probability")
        axes.grid(True)
        axes.plot([0, 1], [0, 1], color=BLACK, lw=0.9, ls=":", label="λ and 1 − λ")
        axes.plot([0, 1], [1, 0], color=BLACK, lw=0.9, ls=":")
        self.now = self.moving(axes.axvline(0.5, color=BLACK, lw=1, label="your λ"))
        line = lambda name, style, look: self.moving(axes.plot([], [], ls=style, ms=4.5, label=name, markevery=5,
                                                               lw=1.6, **look)[0])
        self.lines = [[line(f"{what}, {who}", style, look) for what, look in (
            ("first", FIRST), ("second", SECOND), ("all others", OTHERS))] for who, style in (("plain", "--"),
                                                                                              ("mixup", "-"))]
        axes.legend(loc="upper left", bbox_to_anchor=(1.02, 1.02), borderaxespad=0)

    def show(self, record) -> None:
        for pixels, drawing in zip(self.drawings, record.drawings, strict=True):
            pixels.rgba = ink(drawing, 2)
        most = float(record.mixed.max()) or 1.0
        for pixels, maps in zip(self.seen, record.mixed, strict=True):
            pixels.rgba = tiled(maps / most)
        self.now.set_xdata([record.lam] * 2)
        x = np.linspace(0, 1, SHARES)
        for lines, answers in zip(self.lines, (record.plain, record.mixup), strict=True):
            first, second = (answers[:, label] for label in record.labels)
            for line, y in zip(lines, (first, second, 1 - first - second), strict=True):
                line.set_data(x, y)


def tiled(maps: np.ndarray) -> np.ndarray:
    """Maps (C, h, w) in [0, 1], four in a row where there are several, as a square of about SIDE pixels."""
    if len(maps) > 1:
        c, h, w = maps.shape
        maps = np.pad(maps, ((0, 0), (0, 1), (0, 1))).reshape(4, c // 4, h + 1, w + 1).transpose(0, 2, 1, 3)
        maps = maps.reshape(1, 4 * (h + 1), -1)
    return ink(maps[0], max(1, SIDE // maps.shape[-1]))
