"""The scene of lesson 09's stream: the pictures with what is told and said of each, and accuracy by presentation."""

from __future__ import annotations

import numpy as np

from mlcourse.lessons.l09_memory.neighbour_stream import STEPS, TIMES, WAY
from mlcourse.plots.mosaic import ink
from mlcourse.plots.scene import Scene
from mlcourse.plots.style import BLACK, BLUE, GREY, VERMILION
from mlcourse.plots.surface import Pixels

WIDTH, HEIGHT = 990, 390
LEFT, PITCH, SIDE = 88, 30, 28


class EpisodeStreamScene(Scene):
    """A stream of pictures with two rows of labels below, two of them enlarged, and a curve; `show` takes an
    `EpisodeStreamRecord`."""

    def __init__(self):
        super().__init__(WIDTH / 100, HEIGHT / 100)

    def build(self) -> None:
        write = lambda x, y, text, **how: self.figure.text(x / WIDTH, y / HEIGHT, text, fontsize=9.5, **how)
        for y, text in ((325, "picture"), (296, "label told"), (276, "answer")):
            write(LEFT - 8, y, text, ha="right", va="center")
        self.strip = self.moving(self.figure.add_artist(Pixels(LEFT, 311)))
        place = lambda i, y: self.label(self._whole(), (LEFT + PITCH * i + 10) / WIDTH, y / HEIGHT, 9.5)
        self.whole = None
        self.told = [place(i, 292) for i in range(STEPS)]
        self.said = [place(i, 272) for i in range(STEPS)]
        self.marks = self.moving(self._whole().plot([], [], ls="", marker="x", ms=5, mew=1.5, color=VERMILION)[0])
        self.now = self.moving(self._whole().plot([], [], color=BLACK, lw=1.6)[0])
        self.near = self.moving(self._whole().plot([], [], color=BLUE, lw=1.6, ls="--")[0])
        write(LEFT, 222, "now (frame)")
        write(LEFT + 130, 222, "nearest known (dashed frame)")
        self.large = [self.moving(self.figure.add_artist(Pixels(LEFT + 130 * i, 98))) for i in range(2)]
        self.note = [self.label(self._whole(), (LEFT + 130 * i) / WIDTH, 78 / HEIGHT, 9.5) for i in range(2)]
        self._whole().plot([(LEFT + 3) / WIDTH], [42 / HEIGHT], ls="", marker="x", ms=5, mew=1.5, color=VERMILION)
        write(LEFT + 14, 37, "wrong answer")
        self._curve(self.figure.add_axes((0.5, 0.13, 0.485, 0.43)))

    def _whole(self):
        """Axes over the whole figure."""
        if getattr(self, "whole", None) is None:
            self.whole = self.figure.add_axes((0, 0, 1, 1))
            self.whole.set(xlim=(0, 1), ylim=(0, 1))
            self.whole.set_axis_off()
        return self.whole

    def _curve(self, axes) -> None:
        axes.set(xlim=(0.6, TIMES + 0.4), ylim=(0, 104), xticks=range(1, TIMES + 1), xlabel="presentation of a class",
                 ylabel="right (%), 200 streams")
        axes.grid(True, axis="y")
        self.curve = self.moving(axes.plot([], [], color=BLUE, marker="o", ms=7, label="nearest neighbour")[0])
        axes.axhline(100 / WAY, color=GREY, ls="--", lw=1.2, label="chance")
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2)

    def show(self, record) -> None:
        found, at, late = record.answers, record.at, record.late
        pictures = found.pictures[STEPS:]
        paper = np.full((SIDE, PITCH * STEPS, 4), 255, np.uint8)
        for i in range(at + 1):
            paper[:, PITCH * i:PITCH * i + SIDE] = ink(pictures[i], 1)
        self.strip.rgba = paper
        wrong = [i for i in range(at + 1) if found.said[i] != found.labels[i]]
        for i in range(STEPS):
            told = str(found.labels[i - late]) if i >= late else "–"
            self.told[i].set_text(told if i <= at else "")
            self.said[i].set_text(str(found.said[i]) if i <= at else "")
        self.marks.set_data([(LEFT + PITCH * i + 14) / WIDTH for i in wrong], [262 / HEIGHT] * len(wrong))
        source = found.source[at]
        self.now.set_data(*frame(at))
        self.near.set_data(*(frame(source) if source is not None and source >= 0 else ([], [])))
        self.large[0].rgba = ink(pictures[at], 4)
        self.large[1].rgba = None if source is None else ink(found.pictures[STEPS + source], 4)
        self.note[0].set_text(f"its label is {found.labels[at]}")
        self.note[1].set_text(nearest(record))
        self.curve.set_data(np.arange(1, TIMES + 1), 100 * found.accuracy)


def frame(i: int) -> tuple[np.ndarray, np.ndarray]:
    """A square around the picture at place i."""
    left, bottom, side = LEFT + PITCH * i - 2, 309, SIDE + 3
    x, y = np.array([0, 1, 1, 0, 0]) * side + left, np.array([0, 0, 1, 1, 0]) * side + bottom
    return x / WIDTH, y / HEIGHT


def nearest(record) -> str:
    """What is known of the nearest picture, in words."""
    source, said = record.answers.source[record.at], record.answers.said[record.at]
    if source is None:
        return "nothing is known yet: 0"
    where = "the stream before" if source < 0 else "itself" if source == record.at else f"step {source + 1}"
    return f"{where}: its label was {said}"
