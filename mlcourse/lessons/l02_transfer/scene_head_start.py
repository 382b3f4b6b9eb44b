"""The scene of the explorer of heads: accuracy and movement of the features over the steps of fine-tuning."""

from __future__ import annotations

import numpy as np

from mlcourse.plots.scene import Scene
from mlcourse.plots.style import BLUE, GREEN, VERMILION

LOOKS = {"random": dict(color=VERMILION, marker="s", ls="--"), "zero": dict(color=BLUE, marker="o", ls="-"),
         "ridge": dict(color=GREEN, marker="D", ls="-.")}
FAINT = 0.35
FURTHEST = 120          # % of their size that features can be seen to move


class HeadStartScene(Scene):
    """`show` takes a `HeadStartRecord`. steps: at which the path was looked at."""

    def __init__(self, steps: np.ndarray):
        self.steps = steps
        super().__init__(10, 3.6)

    def build(self) -> None:
        boxes = ((0.055, 0.135, 0.42, 0.66), (0.555, 0.135, 0.42, 0.66))
        self.panels = []
        for box, title, top in zip(boxes, ("Right on the target (%)", "Features moved, % of their "
                                                                      "size"), (100, FURTHEST),
                                   strict=True):
            axes = self.figure.add_axes(box)
            axes.set(xlim=(-1, self.steps[-1] + 1), ylim=(0, top), xlabel="steps of fine-tuning")
            axes.set_title(title)
            axes.grid(True)
            self.panels.append({name: self.moving(axes.plot([], [], label=f"{name} head", ms=4, **look)[0])
                                for name, look in LOOKS.items()})
        self.legend = self.figure.axes[0].legend(loc="lower right", fontsize=8.5)

    def show(self, record) -> None:
        paths = {record.head: record.path, **record.others}
        self._list(paths)
        for panel, values in zip(self.panels, ("accuracy", "moved"), strict=True):
            for name, line in panel.items():
                line.set_visible(name in paths)
                if name in paths:
                    line.set_data(self.steps, np.minimum(100 * getattr(paths[name], values), FURTHEST))
                    line.set_alpha(1 if name == record.head else FAINT)

    def _list(self, names) -> None:
        """Have the legend list these heads alone."""
        for name, handle, text in zip(LOOKS, self.legend.legend_handles, self.legend.get_texts(), strict=True):
            if text.get_visible() != (name in names):
                text.set_visible(name in names)
                self.stale()
            handle.set_visible(name in names)
