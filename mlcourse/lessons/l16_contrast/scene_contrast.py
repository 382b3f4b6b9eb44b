"""The scene of the contrast explorer: similarities, softmax weights, the embedding with its push, and retrieval."""

from __future__ import annotations

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

from mlcourse.plots.mosaic import Mosaic
from mlcourse.plots.scene import Scene
from mlcourse.plots.style import BLACK, GREEN, GREY, QUERY, SUPPORT

SLOTS = 6           # a query and its answers
GAP = 4             # points of a drawing between pictures


class ContrastScene(Scene):
    """Five panels; `show` takes a `ContrastRecord`. pictures_a, pictures_b (M, S, S): how to show the drawings."""

    def __init__(self, pictures_a: np.ndarray, pictures_b: np.ndarray, sides: tuple[str, str]):
        self.pictures, self.sides = (pictures_a, pictures_b), sides
        super().__init__(10, 5.9)

    def build(self) -> None:
        figure, (one, other) = self.figure, self.sides
        high = 0.40
        self.similarity = self._build_matrix((0.04, 0.475, high * 5.9 / 10, high), "RdBu_r", -1, 1,
                                             f"Cosine s of {one} i and {other} j")
        self.weights = self._build_matrix((0.36, 0.475, high * 5.9 / 10, high), "viridis", 0, 1,
                                          "Weights: softmax over j of s/τ")
        self._build_plane(figure.add_axes((0.68, 0.475, 0.31, high)))
        self.strips = [self._build_strip(figure.add_axes((0.04, bottom, 0.5, 0.145)),
                                         f"This {asks} asks; nearest {found}s (framed: the partner)")
                       for bottom, asks, found in ((0.235, one, other), (0.025, other, one))]
        self._build_bars(figure.add_axes((0.68, 0.085, 0.295, 0.28)))

    def _build_matrix(self, box, colours: str, low: float, high: float, title: str):
        axes = self.figure.add_axes(box)
        axes.set(xticks=[], yticks=[], xlim=(0, 1), ylim=(1, 0), xlabel=f"{self.sides[1]} j →",
                 ylabel=f"← {self.sides[0]} i")
        axes.set_title(title, fontsize=9.5)
        axes.spines[:].set_visible(True)
        bar_axes = self.figure.add_axes((box[0] + box[2] + 0.007, box[1], 0.011, box[3]))
        bar = self.figure.colorbar(ScalarMappable(Normalize(low, high), colours), cax=bar_axes,
                                   ticks=(low, (low + high) / 2, high))
        bar.ax.tick_params(labelsize=7.5)
        tiles = Mosaic(self, axes, colours, low, high)
        row = axes.plot([], [], color=BLACK, lw=3)[0], axes.plot([], [], color="white", lw=1)[0]
        return tiles, self.moving(*row)

    def _build_plane(self, axes) -> None:
        axes.set(xlim=(-1.05, 1.05), ylim=(-1.0, 1.15), xticks=(-1, 0, 1), yticks=())
        axes.set_title("Embedding on its first two components", fontsize=9.5)
        axes.grid(True)
        plot = lambda **style: self.moving(axes.plot([], [], **style)[0])
        self.links = plot(color=GREY, lw=0.8, alpha=0.6)
        self.push = plot(color=BLACK, lw=1.1, zorder=4)
        self.points = [plot(ls="", ms=5.5, mec="white", mew=0.6, zorder=5, label=side, **style) for side, style in
                       zip(self.sides, (SUPPORT, QUERY))]
        axes.plot([], [], color=GREY, lw=0.8, label="pair")
        axes.plot([], [], color=BLACK, lw=1.1, label="push of the loss")
        axes.legend(loc="upper center", ncols=4, fontsize=7.5, handlelength=1.3, columnspacing=0.9, borderaxespad=0.1,
                    handletextpad=0.4)

    def _build_strip(self, axes, title: str):
        side = self.pictures[0].shape[1]
        self.width = SLOTS * (side + GAP) + GAP
        axes.set(xticks=[], yticks=[], xlim=(0, self.width), ylim=(side, 0))
        axes.spines[:].set_visible(False)
        axes.set_title(title, fontsize=9.5)
        right = self.moving(axes.plot([], [], color=GREEN, lw=2.4, clip_on=False)[0])
        return Mosaic(self, axes, "gray", 0, 1), right

    def _build_bars(self, axes) -> None:
        one, other = self.sides
        axes.set(xlim=(0, 1), ylim=(1.6, -0.6), xlabel="share with the partner nearest", yticks=(0, 1),
                 xticks=(0, 0.25, 0.5, 0.75, 1))
        axes.set_yticklabels([f"{one[:7]} → {other[:6]}", f"{other[:6]} → {one[:7]}"], fontsize=8)
        axes.set_title("Retrieval at 1, both ways", fontsize=9.5)
        axes.grid(True, axis="x")
        self.bars = [self.moving(axes.plot([], [], lw=14, solid_capstyle="butt", color=style["color"])[0]) for style in
                     (SUPPORT, QUERY)]
        self.chance = self.moving(axes.plot([], [], color=BLACK, ls="--", lw=1.2)[0])
        axes.plot([], [], color=BLACK, ls="--", lw=1.2, label="chance")
        axes.legend(loc="center right", fontsize=7.5, borderaxespad=0.1)

    def show(self, record) -> None:
        n, q = len(record.s), record.query
        box = np.array([[0, q], [1, q], [1, q + 1], [0, q + 1], [0, q]]) / [1, n]
        for (tiles, rows), values in ((self.similarity, record.s), (self.weights, record.weights)):
            tiles.show(values)
            for row in rows:
                row.set_data(*box.T)
        gap = np.full(n, np.nan)
        a, b = record.plane_a, record.plane_b
        self.links.set_data(np.stack([a[:, 0], b[:, 0], gap], 1).ravel(), np.stack([a[:, 1], b[:, 1], gap], 1).ravel())
        start, gap = np.concatenate([a, b]), np.full(2 * n, np.nan)
        end = start + np.concatenate([record.push_a, record.push_b])
        self.push.set_data(np.stack([start[:, 0], end[:, 0], gap], 1).ravel(),
                           np.stack([start[:, 1], end[:, 1], gap], 1).ravel())
        for points, place in zip(self.points, (a, b)):
            points.set_data(*place.T)
        rows = record.rows_a, record.rows_b
        for (tiles, right), ask, found in zip(self.strips, (0, 1), (record.found_b, record.found_a)):
            answers = self.pictures[1 - ask][rows[1 - ask][found]]
            tiles.show(self._strip(self.pictures[ask][rows[ask][q]], answers))
            at = np.flatnonzero(found == q)
            right.set_visible(len(at) > 0)
            if len(at):
                side = answers.shape[1]
                left = GAP / 2 + (at[0] + 1) * (side + GAP)
                right.set_data(np.array([0, 1, 1, 0, 0]) * (side + GAP) + left,
                               np.array([0.5, 0.5, side - 0.5, side - 0.5, 0.5]))
        for bar, y, value in zip(self.bars, (0, 1), (record.hits_forth, record.hits_back)):
            bar.set_data([0, value], [y, y])
        self.chance.set_data([1 / n, 1 / n], [-0.6, 1.6])

    def _strip(self, query: np.ndarray, answers: np.ndarray) -> np.ndarray:
        """A query on grey, then its answers, as one picture of dark ink on white."""
        side = query.shape[0]
        strip = np.ones((side, self.width))
        for slot, picture in enumerate([query, *answers]):
            left = GAP + slot * (side + GAP)
            strip[:, left:left + side] = (1 if slot else 0.82) - picture * (1 if slot else 0.82)
        return strip
