"""The scene of the coin: what a model of two coins says of the next toss, and how far that is off, by tosses seen."""

from __future__ import annotations

import numpy as np

from mlcourse.lessons.l17_context.coin import COINS
from mlcourse.plots.scene import Scene
from mlcourse.plots.style import BLACK, BLUE, GREY, VERMILION

TICKS = (0, 1, 3, 10, 30, 100, 300)


class CoinScene(Scene):
    """`show` takes a `CoinRecord`."""

    def __init__(self):
        super().__init__(10, 3.6)

    def build(self) -> None:
        place = lambda tosses: np.log1p(tosses)
        both = dict(xlim=(0, place(TICKS[-1])), xticks=[place(t) for t in TICKS], xticklabels=TICKS,
                    xlabel="tosses that the model has seen")
        left = self.figure.add_axes((0.07, 0.15, 0.41, 0.64))
        left.set(ylim=(0, 1), ylabel="probability that the next is a head", **both)
        for at, coin in enumerate(COINS):
            left.axhline(coin, color=GREY, ls=":", lw=1.2, label="the two coins of the prior" if not at else None)
        right = self.figure.add_axes((0.57, 0.15, 0.41, 0.64))
        right.set(ylim=(0, 0.5), ylabel="off the coin, on average", **both)
        right.grid(True, axis="y")
        line = lambda axes, **style: self.moving(axes.plot([], [], **style)[0])
        self.true = line(left, color=BLACK, ls="--", lw=1.5, label="the coin that is tossed")
        self.said = line(left, color=BLUE, lw=2.2, label="what the model says (mean)")
        self.off = line(right, color=BLUE, lw=2.2, label=None)
        self.share = line(right, color=VERMILION, ls="-.", lw=2,
                          label="the same for (heads + 1)/(tosses + 2), which allows every coin")
        now = lambda axes, label=None: line(axes, ls="", marker="o", ms=9, color=BLACK, label=label)
        self.now = [now(left, "now"), now(right)]
        handles = [part for axes in (left, right) for part in axes.get_legend_handles_labels()[0]]
        self.figure.legend(handles, [each.get_label() for each in handles], loc="upper left",
                           bbox_to_anchor=(0.05, 0.915), ncols=3, fontsize=8, handlelength=2.2, columnspacing=1.2)

    def show(self, record) -> None:
        x = np.log1p(record.tosses)
        self.true.set_data([0, x[-1]], [record.coin] * 2)
        self.said.set_data(x, record.said)
        self.off.set_data(x, record.off)
        self.share.set_data(x, record.share)
        for dot, values in zip(self.now, (record.said, record.off), strict=True):
            dot.set_data([x[record.at]], [values[record.at]])
