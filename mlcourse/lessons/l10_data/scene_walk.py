"""The scene of the latent walk: what was shown, what was drawn, a ruler, a judge, and the divergence by dimension."""

from __future__ import annotations

import numpy as np

from mlcourse.plots.mosaic import ink
from mlcourse.plots.scene import Scene
from mlcourse.plots.style import BLACK, BLUE, GREY, PURPLE, VERMILION
from mlcourse.plots.surface import Pixels

SHOWN, CHARACTERS = 5, 10
WIDE, HIGH = 1000, 400
NAMES = "abcd"
TRAINED, OWN = dict(color=BLUE, marker="^"), dict(color=VERMILION, marker="^")
BELOW = 0.17        # how far below its span a mark stands, so that it hides no median


class WalkScene(Scene):
    """`show` takes a `WalkRecord`. divergence (Z,): nats of each dimension. moved: the four that have a slider."""

    def __init__(self, divergence: np.ndarray, moved: tuple[int, ...]):
        self.divergence, self.of_sliders = divergence, moved
        super().__init__(WIDE / 100, HIGH / 100)

    def build(self) -> None:
        write = lambda x, y, text, **style: self.figure.text(x / WIDE, y / HIGH, text, fontsize=9.5, va="center",
                                                             **style)
        place = lambda x, y: self.moving(self.figure.add_artist(Pixels(x, y)))
        write(10, 352, "It was shown")
        self.shown = [place(10 + 60 * i, 284) for i in range(SHOWN)]
        write(10, 262, "it draws (dark: sure of ink)")
        write(200, 262, "where above ½")
        self.picture, self.ink = place(10, 110), place(200, 166)
        write(10, 88, "nearest training picture", color=TRAINED["color"])
        write(170, 88, "nearest that was shown", color=OWN["color"])
        self.trained, self.nearest = place(10, 20), place(170, 20)
        self._build_ruler(self.figure.add_axes((0.36, 0.14, 0.28, 0.46)))
        self._build_judge(self.figure.add_axes((0.71, 0.62, 0.28, 0.2)))
        self._build_divergence(self.figure.add_axes((0.71, 0.14, 0.28, 0.27)))

    def _build_ruler(self, axes) -> None:
        axes.set(xlim=(0, 160), ylim=(-0.4, 1.5), yticks=[], xlabel="pixels that differ, of 784")
        axes.spines["left"].set_visible(False)
        axes.grid(True, axis="x")
        self.marks, self.spans, self.middles = [], [], []
        for y, look, text in ((1, TRAINED, "from the nearest training picture"),
                              (0, OWN, "from the nearest that was shown")):
            axes.text(0, y + 0.24, text, fontsize=9.5, color=look["color"])
            plot = lambda **style: self.moving(axes.plot([], [], **style)[0])
            self.spans.append(plot(color=GREY, lw=13, alpha=0.45, solid_capstyle="butt"))
            self.middles.append(plot(color=BLACK, ls="", marker="|", ms=15, mew=2.5))
            self.marks.append(plot(ls="", ms=11, mec="white", zorder=6, **look))
        axes.plot([], [], color=GREY, lw=9, alpha=0.45, label="other real drawings, least to most")
        axes.plot([], [], color=BLACK, ls="", marker="|", ms=11, mew=2.5, label="their median")
        axes.plot([], [], color=BLACK, ls="", marker="^", ms=8, label="the drawing")
        axes.legend(loc="lower left", bbox_to_anchor=(-0.03, 1.0), borderaxespad=0)

    def _build_judge(self, axes) -> None:
        axes.set(xlim=(-0.6, CHARACTERS - 0.4), ylim=(0, 1.04), xticks=range(CHARACTERS), yticks=(0, 0.5, 1))
        axes.set_title("an independent classifier: probability", fontsize=9.5)
        axes.set_xlabel("character", labelpad=1)
        self.bars = self.moving(*axes.bar(range(CHARACTERS), [0] * CHARACTERS, color=GREY))

    def _build_divergence(self, axes) -> None:
        order = np.argsort(-self.divergence)
        slider = dict(zip(self.of_sliders, NAMES, strict=True))
        colours = [PURPLE if i in slider else GREY for i in order]
        axes.bar(range(len(order)), self.divergence[order], color=colours)
        axes.set_xticks([k for k, i in enumerate(order) if i in slider], [slider[i] for i in order if i in slider])
        axes.set_ylabel("nats")
        axes.set_title(f"how much each of {len(order)} numbers tells", fontsize=9.5)

    def show(self, record) -> None:
        blank = np.zeros_like(record.picture)
        for i, pixels in enumerate(self.shown):
            pixels.rgba = ink(record.drawings[i] if i < record.shown else blank, 2)
        self.picture.rgba, self.ink.rgba = ink(record.picture, 5), ink(record.ink.astype(np.float32), 3)
        self.trained.rgba, self.nearest.rgba = ink(record.nearest, 2), ink(record.drawings[record.ruler.shown], 2)
        ruler = record.ruler
        for i, (value, real) in enumerate(((ruler.to_trained, ruler.real_trained), (ruler.to_shown, ruler.real_shown))):
            self.spans[i].set_data(real[::2], [1 - i] * 2)
            self.middles[i].set_data([real[1]], [1 - i])
            self.marks[i].set_data([value], [1 - i - BELOW])
        for i, (bar, value) in enumerate(zip(self.bars, record.probabilities, strict=True)):
            bar.set_height(value)
            bar.set_color(BLACK if i == record.character else GREY)
