"""The scene of streams in any order: bars of samples needed, and what is forgotten before and after adapting."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlcourse.lessons.l12_stream.orders import LENGTH, SIZES
from mlcourse.plots.scene import Scene
from mlcourse.plots.style import BLACK, BLUE, GREY, VERMILION

NEVER = 1.12 * SIZES[-1]        # the height of a bar whose task did not pass
LOOKS = (dict(facecolor="#D0D0D0", edgecolor=GREY), dict(facecolor=BLUE, edgecolor=BLACK),
         dict(facecolor=VERMILION, edgecolor=BLACK, hatch="///"))
WORST = 30                      # points of forgetting that are drawn darkest


class OrderScene(Scene):
    """`show` takes an `OrderRecord`. names: of the bars of every task, from the left."""

    def __init__(self, names: Sequence[str]):
        self.names = tuple(names)
        super().__init__(10, 3.35)

    def build(self) -> None:
        axes = self.figure.add_axes((0.055, 0.13, 0.42, 0.64))
        rounds = np.arange(1, LENGTH + 1)
        axes.set(xlim=(0.5, LENGTH + 0.5), ylim=(0, 1.2 * SIZES[-1]), xticks=rounds, yticks=(0, 20, 40, 60, 80),
                 xlabel="task")
        axes.set_title("samples needed", fontsize=9.5)
        axes.grid(True, axis="y")
        wide = 0.8 / len(self.names)
        self.bars = []
        for b, (name, look) in enumerate(zip(self.names, LOOKS)):
            left = rounds - 0.4 + (b + 0.5) * wide
            bars = axes.bar(left, np.zeros(LENGTH), width=0.9 * wide, label=name, linewidth=0.8, **look)
            self.bars.append([self.moving(bar) for bar in bars])
        self.never = [[self.moving(axes.plot([], [], ls="", marker="x", ms=6, mew=1.6, color=BLACK)[0])
                       for _ in rounds] for _ in self.names]
        axes.plot([], [], ls="", marker="x", ms=6, mew=1.6, color=BLACK, label=f"not with {SIZES[-1]}")
        handles, names = axes.get_legend_handles_labels()
        self.figure.legend(handles, names, loc="upper left", bbox_to_anchor=(0.0, 0.905), ncols=4, fontsize=8,
                           handlelength=1.3, handletextpad=0.4, columnspacing=1.0)
        self.matrices = [self._matrix(left, title) for left, title in ((0.545, "before adapting"),
                                                                       (0.775, "after adapting"))]
        self.whose = self.label(self.figure.axes[1], 0.0, 1.17, 9.5)

    def _matrix(self, left: float, title: str):
        axes = self.figure.add_axes((left, 0.13, 0.21, 0.6))
        ticks = np.arange(LENGTH)
        axes.set(xticks=ticks, yticks=ticks, xticklabels=ticks + 1, yticklabels=ticks + 1, xlabel="after round")
        if left < 0.6:
            axes.set_ylabel("task", labelpad=1)
        axes.set_title(title, fontsize=9.5)
        axes.spines[:].set_visible(True)
        image = self.moving(axes.imshow(np.zeros((LENGTH, LENGTH)), cmap="RdBu_r", vmin=-WORST, vmax=WORST,
                                        aspect="auto", interpolation="nearest"))
        cells = {(i, j): self.moving(axes.text(j, i, "", ha="center", va="center", fontsize=8.5, color=BLACK))
                 for i in range(LENGTH) for j in range(i + 1, LENGTH)}
        return image, cells

    def show(self, record) -> None:
        for bars, crosses, needed in zip(self.bars, self.never, record.needed, strict=True):
            for bar, cross, each in zip(bars, crosses, [*needed, *[None] * (LENGTH - len(needed))], strict=True):
                missed = each is not None and not each.passed
                bar.set_height(0 if each is None or missed else each.samples)
                middle = bar.get_x() + bar.get_width() / 2
                cross.set_data([middle] if missed else [], [NEVER] if missed else [])
        for (image, cells), lost in zip(self.matrices, (record.before, record.after), strict=True):
            whole = np.full((LENGTH, LENGTH), np.nan)
            whole[:len(lost), :len(lost)] = 100 * lost
            image.set_data(whole)
            for at, text in cells.items():
                text.set_text("" if np.isnan(whole[at]) else f"{whole[at]:.0f}".replace("-0", "0"))
        self.whose.set_text(f"points below the best so far, {record.shown}")
