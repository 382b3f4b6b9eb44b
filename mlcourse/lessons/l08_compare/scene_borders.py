"""The scene of the borders: the plane in the classes' colours, its labelled points, and the query's probabilities."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import to_rgb

from mlcourse.lessons.l08_compare.borders import ACROSS, CLASSES, COLUMNS, QUERY, ROWS, UP
from mlcourse.plots.scene import Scene
from mlcourse.plots.style import BLACK, SERIES
from mlcourse.plots.surface import Pixels, stretch

ZOOM = 2            # pixels to either side of what is computed
NAMES = ("A", "B", "C")
LOOKS = tuple(dict(color=style["color"], marker=style["marker"]) for style in SERIES[:CLASSES])
PALE = 1 - 0.55 * (1 - np.array([to_rgb(look["color"]) for look in LOOKS]))


class BordersScene(Scene):
    """`show` takes a `BordersRecord`."""

    def __init__(self):
        super().__init__(10, 4.3)

    def build(self) -> None:
        axes = self.figure.add_axes((0.05, 0.1, 0.56, 0.8))
        axes.set(xlim=(-ACROSS, ACROSS), ylim=(-UP, UP), xlabel="feature 1", ylabel="feature 2")
        box = axes.get_window_extent()
        left, bottom = int(np.ceil(box.x0)) + 1, int(np.ceil(box.y0)) + 1
        self.down = stretch(ROWS, (int(box.y1) - bottom) // ZOOM).numpy()
        self.across = stretch(COLUMNS, (int(box.x1) - left) // ZOOM).numpy().T
        self.plane = self.moving(self.figure.add_artist(Pixels(left, bottom)))
        plot = lambda **style: self.moving(axes.plot([], [], ls="", **style)[0])
        self.ring = plot(marker="o", ms=15, mfc="none", mec=BLACK, mew=1.5, zorder=4, label="the point that you move")
        self.points = [plot(ms=7, mec="white", mew=0.8, zorder=5, label=f"class {name}", **look)
                       for name, look in zip(NAMES, LOOKS, strict=True)]
        self.means = plot(marker="*", ms=15, color="white", mec=BLACK, mew=1.2, zorder=6, label="class means")
        self.query = plot(marker="x", ms=10, mew=2.5, color=BLACK, zorder=7, label="the query")
        self.query.set_data(QUERY[:1], QUERY[1:])
        self.lines = axes.plot([], [], color=BLACK, lw=1.5, label="border")
        axes.legend(loc="upper left", bbox_to_anchor=(1.02, 1.0), borderaxespad=0)
        bars = self.figure.add_axes((0.68, 0.12, 0.3, 0.3))
        bars.set(xlim=(0, 1), ylim=(CLASSES - 0.4, -0.6), yticks=range(CLASSES), yticklabels=NAMES,
                 xlabel="probability of the query's class")
        bars.grid(True, axis="x")
        self.bars = [self.moving(bars.plot([], [], lw=13, solid_capstyle="butt", color=look["color"])[0])
                     for look in LOOKS]

    def show(self, record) -> None:
        plane = self.down @ record.plane.transpose(2, 0, 1).astype(np.float32) @ self.across
        winner = plane.argmax(0)
        edge = np.zeros(winner.shape, bool)
        edge[1:] |= winner[1:] != winner[:-1]
        edge[:, 1:] |= winner[:, 1:] != winner[:, :-1]
        picture = np.full((*winner.shape, 4), 255, np.uint8)
        picture[..., :3] = np.clip(plane.transpose(1, 2, 0) @ PALE.astype(np.float32) * 255, 0, 255)
        picture[edge] = 25, 25, 25, 255
        self.plane.rgba = picture.repeat(ZOOM, 0).repeat(ZOOM, 1)
        for artist, points in zip(self.points, record.points, strict=True):
            artist.set_data(*points.T)
        self.means.set_data(*record.means.T)
        self.ring.set_data(*record.points[0, 2:].T)
        for n, (bar, p) in enumerate(zip(self.bars, record.query, strict=True)):
            bar.set_data([0, p], [n, n])
