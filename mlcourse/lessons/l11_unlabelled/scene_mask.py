"""The scene of the mask: how far drawings lie, the mask over it, and accuracies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlcourse.lessons.l11_unlabelled.mask_dial import ALONG, EDGES, FARTHEST
from mlcourse.lessons.l11_unlabelled.scene_pool import LEAST, MOST
from mlcourse.plots.scene import Scene
from mlcourse.plots.style import BLACK, BLUE, GREY, VERMILION

TALLEST = 4.5           # drawings an episode in one bin


class MaskScene(Scene):
    """`show` takes a `MaskRecord`. names: of the accuracies, from the top."""

    def __init__(self, names: Sequence[str]):
        self.names = tuple(names)
        super().__init__(10, 3.7)

    def build(self) -> None:
        self._build_distances(self.figure.add_axes((0.06, 0.14, 0.53, 0.62)))
        axes = self.figure.add_axes((0.785, 0.14, 0.195, 0.62))
        rows = range(len(self.names))
        axes.set(xlim=(LEAST, MOST), ylim=(len(self.names) - 0.4, -0.6), yticks=rows, yticklabels=self.names,
                 xlabel="right, % (± over 200 episodes)")
        axes.grid(True, axis="x")
        self.spans = [self.moving(axes.plot([], [], lw=2.2, color=BLACK)[0]) for _ in rows]
        self.dots = [self.moving(axes.plot([], [], ls="", marker="o", ms=8, color=BLACK)[0]) for _ in rows]

    def _build_distances(self, axes) -> None:
        axes.set(xlim=(0, FARTHEST), ylim=(0, TALLEST), ylabel="drawings an episode",
                 xlabel="least relative squared distance to a prototype (last bin: and more)")
        other = axes.twinx()
        other.set(ylim=(0, TALLEST), yticks=np.linspace(0, 0.9 * TALLEST, 3), yticklabels=["0", "½", "1"],
                  ylabel="mask")
        other.spines["right"].set_visible(True)
        plot = lambda label, **style: self.moving(axes.plot([], [], label=label, **style)[0])
        self.own = plot("drawings of the five classes", color=BLUE, lw=2, drawstyle="steps-post")
        self.strangers = plot("of other classes", color=VERMILION, lw=2, ls="--", drawstyle="steps-post")
        self.mask = plot("the mask", color=BLACK, lw=2.2)
        self.threshold = plot("threshold", color=GREY, lw=1.2, ls=":")
        handles, names = axes.get_legend_handles_labels()
        self.figure.legend(handles, names, loc="upper left", bbox_to_anchor=(0.05, 0.9), ncols=4)

    def show(self, record) -> None:
        stairs = lambda values: (EDGES, np.append(values, values[-1]))
        self.own.set_data(*stairs(record.own))
        self.strangers.set_data(*stairs(record.strangers))
        self.mask.set_data(ALONG, 0.9 * TALLEST * record.curve)
        self.threshold.set_data([record.threshold] * 2, [0, TALLEST])
        for y, (name, dot, span) in enumerate(zip(self.names, self.dots, self.spans, strict=True)):
            found = record.right[name]
            dot.set_data([found.mean], [y])
            span.set_data([found.low, found.high], [y, y])
