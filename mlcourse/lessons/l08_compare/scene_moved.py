"""The scene of the moved drawing: the pictures, the network's features in a plane, and a query's probabilities."""

from __future__ import annotations

import numpy as np

from mlcourse.plots.mosaic import ink
from mlcourse.plots.scene import Scene
from mlcourse.plots.style import BLACK, GREY, SERIES
from mlcourse.plots.surface import Pixels

WAY = 5
LOOKS = tuple(dict(color=style["color"], marker=style["marker"]) for style in SERIES[:WAY])
BEFORE, AFTER = dict(color=GREY, marker="o"), dict(color=BLACK, marker="X")


class MovedScene(Scene):
    """`show` takes a `MovedRecord`. cloud (WAY, M, 2): where the queries lie in the plane."""

    def __init__(self, cloud: np.ndarray):
        self.cloud = cloud
        super().__init__(10, 4.2)

    def build(self) -> None:
        self._build_pictures()
        self._build_plane(self.figure.add_axes((0.345, 0.11, 0.4, 0.68)))
        self._build_probabilities(self.figure.add_axes((0.815, 0.13, 0.175, 0.56)))

    def _build_pictures(self) -> None:
        write = lambda x, y, text, **style: self.figure.text(x / 1000, y / 420, text, fontsize=9.5, va="center",
                                                             **style)
        place = lambda x, y: self.moving(self.figure.add_artist(Pixels(x, y)))
        write(10, 372, "Support set")
        self.support = [place(10 + 60 * n, 302) for n in range(WAY)]
        for n, look in enumerate(LOOKS):
            write(10 + 60 * n + 28, 290, str(n), ha="center", color=look["color"], fontweight="bold")
        write(10, 255, "as it was")
        write(108, 255, "changed")
        write(216, 255, "a query of it")
        self.before, self.after, self.query = place(10, 158), place(108, 158), place(216, 158)
        everywhere = self.figure.add_axes((0, 0, 1, 1))
        everywhere.set_axis_off()
        write(10, 120, "Right, of its 19 queries")
        self.counts = [self.label(everywhere, 0.012, y / 420, 11) for y in (94, 72, 50)]

    def _build_plane(self, axes) -> None:
        low, high = self.cloud.min((0, 1)) - 1.2, self.cloud.max((0, 1)) + 1.2
        axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), xticks=[], yticks=[],
                 xlabel="the network's features, seen where the classes lie furthest apart")
        for n, (points, look) in enumerate(zip(self.cloud, LOOKS, strict=True)):
            axes.plot(*points.T, ls="", ms=4.5, alpha=0.55, mec="none", label=f"queries of {n}", **look)
        plot = lambda **style: self.moving(axes.plot([], [], **style)[0])
        self.path = plot(color=BLACK, lw=1.2)
        self.places = plot(ls="", marker="*", ms=13, color="white", mec=BLACK, mew=1.1, label="support drawings")
        self.moved = plot(ls="", marker="*", ms=17, color=BLACK, mec="white", mew=0.8, zorder=6,
                          label="the one changed")
        self.asked = plot(ls="", marker="o", ms=13, mfc="none", mec=BLACK, mew=1.5, zorder=6, label="the query")
        handles, names = axes.get_legend_handles_labels()
        self.figure.legend(handles, names, loc="upper left", bbox_to_anchor=(0.335, 0.91), ncols=4, fontsize=8,
                           handletextpad=0.2, columnspacing=0.9)

    def _build_probabilities(self, axes) -> None:
        axes.set(xlim=(-0.04, 1.04), ylim=(WAY - 0.5, -0.5), yticks=range(WAY), xlabel="probability")
        axes.set_title("The query's class", fontsize=9.5)
        axes.grid(True, axis="x")
        self.marks = [self.moving(axes.plot([], [], ls="", ms=8, label=name, **look)[0])
                      for name, look in (("drawing as it was", BEFORE), ("changed", AFTER))]
        axes.legend(loc="lower left", bbox_to_anchor=(-0.2, 1.09), borderaxespad=0)

    def show(self, record) -> None:
        for pixels, picture in zip(self.support, record.support, strict=True):
            pixels.rgba = ink(picture, 2)
        for pixels, picture in ((self.before, record.before), (self.after, record.support[record.which]),
                                (self.query, record.picture)):
            pixels.rgba = ink(picture, 3)
        for label, (name, count) in zip(self.counts, record.right.items(), strict=True):
            label.set_text(f"by {name}: {count}")
        self.places.set_data(*record.places.T)
        self.moved.set_data(*record.places[record.which, :, None])
        self.path.set_data(*np.stack([record.start, record.places[record.which]], 1))
        self.asked.set_data(*record.asked[:, None])
        for i, (mark, values) in enumerate(zip(self.marks, (record.was, record.now), strict=True)):
            mark.set_data(values, np.arange(WAY) + 0.24 * (i - 0.5))
