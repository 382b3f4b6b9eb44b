"""The scene of the companions: a query, its batch, its class probabilities and the channels' statistics."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from mlcourse.plots.mosaic import ink
from mlcourse.plots.scene import Scene
from mlcourse.plots.style import GREY, SERIES
from mlcourse.plots.surface import Pixels

WAY, COLUMNS, ROWS, CHANNELS = 5, 8, 3, 8      # the first eight of the network's channels
SIDE, GAP = 46, 3
LOWEST, HIGHEST = -4.6, 4.7         # of the channels' axis


class CompanionsScene(Scene):
    """`show` takes a `CompanionsRecord`. names: of its three ways."""

    def __init__(self, names: tuple[str, ...]):
        self.names = names
        super().__init__(10, 3.9)

    def build(self) -> None:
        self._build_pictures()
        left, right = self.figure.add_axes((0.475, 0.13, 0.225, 0.61)), self.figure.add_axes((0.77, 0.13, 0.22, 0.61))
        self._build_probabilities(left)
        self._build_channels(right)
        handles, _ = left.get_legend_handles_labels()
        self.figure.legend(handles, self.names, loc="upper left", bbox_to_anchor=(0.46, 0.915), ncols=3, fontsize=9,
                           handletextpad=0.3, columnspacing=1.4)

    def _build_pictures(self) -> None:
        write = lambda x, y, text: self.figure.text(x / 1000, y / 390, text, fontsize=9.5, va="center")
        write(15, 343, "Query")
        write(118, 343, "Support set: one drawing of each class")
        self.query = self.moving(self.figure.add_artist(Pixels(15, 245)))
        self.support = [self.moving(self.figure.add_artist(Pixels(118 + 58 * i, 273))) for i in range(WAY)]
        for i in range(WAY):
            write(118 + 58 * i + 24, 258, str(i))
        write(15, 222, "Companions in the query's batch")
        self.company = self.moving(self.figure.add_artist(Pixels(15, 60)))

    def _build_probabilities(self, axes) -> None:
        axes.set(xlim=(-0.5, WAY - 0.5), ylim=(-0.04, 1.04), xticks=range(WAY), xlabel="class (grey: the right one)",
                 ylabel="probability")
        axes.set_title("The answer")
        axes.grid(True, axis="y")
        self.right = self.moving(axes.axvspan(0, 1, color=GREY, alpha=0.22, lw=0))
        self.answers = [self.moving(axes.plot([], [], ls="", marker=style["marker"], color=style["color"], ms=8,
                                              label=name)[0]) for name, style in zip(self.names, SERIES)]

    def _build_channels(self, axes) -> None:
        axes.set(xlim=(0.4, CHANNELS + 0.6), xticks=range(1, CHANNELS + 1), ylim=(LOWEST, HIGHEST),
                 xlabel="first channels, last norm", ylabel="mean ± deviation")
        axes.set_title("What the norm uses")
        axes.grid(True, axis="y")
        self.channels = []
        for i, style in enumerate(SERIES[:len(self.names)]):
            x = np.arange(1, CHANNELS + 1) + 0.28 * (i - 1)
            bars = self.moving(axes.vlines(x, x * 0, x * 0, color=style["color"], lw=1.6))
            mark = self.moving(axes.plot(x, x * 0, ls="", marker=style["marker"], color=style["color"], ms=5.5)[0])
            self.channels.append((x, mark, bars))

    def show(self, record) -> None:
        self.query.rgba = ink(record.picture, 3)
        for pixels, picture in zip(self.support, record.support, strict=True):
            pixels.rgba = ink(picture, 2)
        self.company.rgba = sheet(record.company)
        self.right.set_x(record.label - 0.5)
        for i, (way, mark) in enumerate(zip(record.ways.values(), self.answers, strict=True)):
            mark.set_data(np.arange(WAY) + 0.22 * (i - 1), way.probabilities.numpy())
        for way, (x, mark, bars) in zip(record.ways.values(), self.channels, strict=True):
            mean, sd = way.mean[:CHANNELS].numpy(), way.sd[:CHANNELS].numpy()
            mark.set_data(x, mean)
            bars.set_segments([[(at, m - s), (at, m + s)] for at, m, s in zip(x, mean, sd)])


def sheet(pictures: np.ndarray) -> np.ndarray:
    """uint8 (…, …, 4): up to ROWS · COLUMNS pictures (M, S, S) in [0, 1], in rows on white."""
    cell = SIDE + GAP
    paper = np.full((ROWS * cell, COLUMNS * cell, 4), 255, np.uint8)
    if len(pictures):
        big = F.interpolate(torch.from_numpy(pictures)[:, None], (SIDE, SIDE), mode="bilinear")[:, 0].numpy()
        for i, picture in enumerate(big):
            top, left = divmod(i, COLUMNS)
            paper[top * cell:top * cell + SIDE, left * cell:left * cell + SIDE] = ink(picture, 1)
    return paper
