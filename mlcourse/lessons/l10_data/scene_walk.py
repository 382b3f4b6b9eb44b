"""The scene of the latent walk: what was shown, what was drawn, a ruler, a judge, and the divergence by dimension."""

from __future__ import annotations

import numpy as np

from mlcourse.plots.mosaic import ink
from mlcourse.plots.scene import Scene
from mlcourse.plots.style import BLACK, BLUE, GREY, ORANGE, VERMILION
from mlcourse.plots.surface import Pixels

SHOWN, CHARACTERS = 5, 10
WIDE, HIGH = 1000, 400
NAMES = "abcd"
TRAINED, OWN = dict(color=BLUE, marker="v"), dict(color=VERMILION, marker="^")


class WalkScene(Scene):
    """`show` takes a `WalkRecord`. divergence (Z,): nats of each dimension. moved: the four that have a slider."""

    def __init__(self, divergence: np.ndarray, moved: tuple[int, ...]):
        self.divergence, self.of_sliders = divergence, moved
        super().__init__(WIDE / 100, HIGH / 100)

    def build(self) -> None:
        write = lambda x, y, text, **style: self.figure.text(x / WIDE, y / HIGH, text, fontsize=9.5, va="center", **style)
        place = lambda x, y: self.moving(self.figure.add_artist(Pixels(x, y)))
        write(10, 352, "It was shown")
        self.shown = [place(10 + 60 * i, 284) for i in range(SHOWN)]
        write(10, 262, "it draws: ink's probability")
        write(200, 262, "above ½")
        self.picture, self.ink = place(10, 110), place(200, 166)
        write(10, 88, "nearest training picture", color=TRAINED["color"])
        write(170, 88, "nearest that was shown", color=OWN["color"])
        self.trained, self.nearest = place(10, 20), place(170, 20)
        self._build_ruler(self.figure.add_axes((0.36, 0.14, 0.28, 0.46)))
        self._build_judge(self.figure.add_axes((0.71, 0.62, 0.28, 0.2)))
        self._build_divergence(self.figure.add_axes((0.71, 0.14, 0.28, 0.27)))

    def _build_ruler(self, axes) -> None:
        axes.set(xlim=(0, 240), ylim=(-0.2, 1.9), yticks=[], xlabel="pixels that differ, of 784")
        axes.spines["left"].set_visible(False)
        axes.grid(True, axis="x")
        self.band = self.moving(axes.plot([], [], color=GREY, lw=14, alpha=0.45, solid_capstyle="butt",
                                          label="two real drawings of it: 90 of 100 pairs")[0])
        self.middle = self.moving(axes.plot([], [], ls="", marker="|", ms=18, mew=2.5, color=BLACK,
                                            label="half of the pairs differ in fewer")[0])
        self.marks = [self.moving(axes.plot([], [], ls="", ms=10, label=name, **look)[0]) for name, look in (
            ("to the nearest training picture", TRAINED), ("to the nearest that was shown", OWN))]
        axes.legend(loc="lower left", bbox_to_anchor=(-0.03, 1.0), borderaxespad=0, markerscale=0.7)

    def _build_judge(self, axes) -> None:
        axes.set(xlim=(-0.6, CHARACTERS - 0.4), ylim=(0, 1.04), xticks=range(CHARACTERS), yticks=(0, 0.5, 1))
        axes.set_title("an independent classifier: probability", fontsize=9.5)
        axes.set_xlabel("character", labelpad=1)
        self.bars = self.moving(*axes.bar(range(CHARACTERS), [0] * CHARACTERS, color=GREY))

    def _build_divergence(self, axes) -> None:
        order = np.argsort(-self.divergence)
        slider = dict(zip(self.of_sliders, NAMES, strict=True))
        colours = [ORANGE if i in slider else GREY for i in order]
        axes.bar(range(len(order)), self.divergence[order], color=colours)
        axes.set_xticks([k for k, i in enumerate(order) if i in slider], [slider[i] for i in order if i in slider])
        axes.set_ylabel("nats")
        axes.set_title(f"KL of {len(order)} numbers (orange: yours)", fontsize=9.5)

    def show(self, record) -> None:
        blank = np.zeros_like(record.picture)
        for i, pixels in enumerate(self.shown):
            pixels.rgba = ink(record.drawings[i] if i < record.shown else blank, 2)
        self.picture.rgba, self.ink.rgba = ink(record.picture, 5), ink(record.ink.astype(np.float32), 3)
        self.trained.rgba, self.nearest.rgba = ink(record.nearest, 2), ink(record.drawings[record.ruler.shown], 2)
        low, half, high = record.ruler.own
        self.band.set_data([low, high], [0.2, 0.2])
        self.middle.set_data([half], [0.2])
        for y, mark, value in zip((1.4, 0.8), self.marks, (record.ruler.to_trained, record.ruler.to_shown), strict=True):
            mark.set_data([value], [y])
        for i, (bar, value) in enumerate(zip(self.bars, record.probabilities, strict=True)):
            bar.set_height(value)
            bar.set_color(VERMILION if i == record.character else GREY)
