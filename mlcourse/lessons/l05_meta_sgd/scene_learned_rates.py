"""The scene of the learned-rates explorer: the map and the histogram of α, and one weight."""

from __future__ import annotations

import itertools

import matplotlib
import numpy as np

from mlcourse.plots.scene import Scene
from mlcourse.plots.style import BLACK, BLUE, GREY, QUERY, VERMILION

SMALL, LARGE = 0.01, 2.0      # the map's colours go with the logarithm of α from the one on, and end at the other
EDGES = np.linspace(-1, 1, 41)              # 0 is an edge: no bin holds rates of both signs
DEAD = np.array([200, 200, 200, 255], np.uint8)
COLOURS = (matplotlib.colormaps["RdBu"](np.linspace(0.08, 0.92, 257)) * 255).astype(np.uint8)
GAP = 2                       # empty cells between two tensors on the map


def shade(alpha: np.ndarray) -> np.ndarray:
    """Where a rate's colour lies between -1 and 1: its sign times the logarithm of its size."""
    return np.clip(np.sign(alpha) * np.log1p(np.abs(alpha) / SMALL) / np.log1p(LARGE / SMALL), -1, 1)


class LearnedRatesScene(Scene):
    """Four panels; `show` takes a `LearnedRatesRecord`. shapes: of an MLP's tensors by name, two hidden layers."""

    def __init__(self, shapes: dict[str, tuple[int, ...]]):
        self.shapes = shapes
        self.corners, self.size = self._layout()
        super().__init__(9.4, 4.5)

    def _layout(self) -> tuple[dict[str, tuple[int, int]], tuple[int, int]]:
        """The upper left cell of each tensor on the map, and the map's rows and columns. Column j of the upper rows and
        of the matrix is unit j of the first hidden layer, row i of the matrix and of the right columns unit i of the
        second."""
        w1, b1, w2, b2, w3, b3 = self.shapes
        into, left = self.shapes[w1][1], 0
        top = into + GAP + 1 + GAP
        rows, across = self.shapes[w2]
        right = across + GAP
        return ({w1: (0, left), b1: (into + GAP, left), w2: (top, left), b2: (top, right), w3: (top, right + 1 + GAP),
                 b3: (into + GAP, right + 1 + GAP)}, (top + rows, right + 1 + GAP + self.shapes[w3][0]))

    def cells(self, name: str, index: int | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The row and column on the map of entries of a tensor, by their place in the flattened tensor."""
        row, column = self.corners[name]
        w1, b1, w2, b2, w3, b3 = self.shapes
        index, width = np.asarray(index), self.shapes[name][-1]
        if name == b1:
            return row + 0 * index, column + index
        if name in (b2, b3):
            return row + index, column + 0 * index
        if name in (w1, w3):                                              # drawn on their side
            return row + index % width, column + index // width
        return row + index // width, column + index % width

    def build(self) -> None:
        figure = self.figure
        self._build_map(figure.add_axes((0.03, 0.04, 0.41, 0.80)))
        self._build_histogram(figure.add_axes((0.515, 0.61, 0.465, 0.235)))
        self._build_gradients(figure.add_axes((0.515, 0.115, 0.20, 0.325)))
        self._build_slice(figure.add_axes((0.775, 0.115, 0.205, 0.325)))

    def _build_map(self, axes) -> None:
        rows, columns = self.size
        axes.set(xlim=(-0.5, columns + 7), ylim=(rows - 0.5, -0.5), xticks=[], yticks=[], aspect="equal")
        axes.spines[:].set_visible(False)
        axes.set_title("Every α: • negative, grey: no gradient, ✚ picked", loc="left", fontsize=10)
        self.map = self.moving(axes.imshow(np.full((rows, columns, 4), 255, np.uint8), interpolation="nearest",
                                           extent=(-0.5, columns - 0.5, rows - 0.5, -0.5)))
        self.negative = self.moving(axes.plot([], [], ls="", marker=".", ms=2.6, mec="none", color=BLACK)[0])
        self.pick = self.moving(axes.plot([], [], ls="", marker="P", ms=9, mfc="#F0E442", mec=BLACK, mew=1)[0])
        names = list(self.shapes)
        for name, text in ((names[0], "W₁"), (names[1], "b₁")):
            axes.text(-1.0, self.corners[name][0], text, ha="right", va="center", fontsize=8)
        for name, text in ((names[3], "b₂"), (names[4], "W₃")):
            axes.text(self.corners[name][1], rows + 0.2, text, ha="center", va="top", fontsize=8)
        axes.text(self.corners[names[5]][1] - 1.2, self.corners[names[5]][0], "b₃", ha="right", va="center", fontsize=8)
        middle = self.corners[names[2]][0] + self.shapes[names[2]][0] / 2
        axes.text(-1.0, middle, "W₂", ha="right", va="center", fontsize=8)
        bar = axes.inset_axes((0.925, 0.12, 0.03, 0.62))
        bar.imshow(COLOURS[::-1][:, None], aspect="auto", extent=(0, 1, -1, 1))
        marks = np.array([-1, -0.1, 0, 0.1, 1])
        bar.set_xticks([])
        bar.set_yticks(shade(marks), [f"{mark:g}" for mark in marks])
        bar.yaxis.tick_right()
        bar.tick_params(labelsize=7.5, length=2)

    def _build_histogram(self, axes) -> None:
        axes.set(xlim=(EDGES[0], EDGES[-1]), ylim=(0.7, 3000), yscale="log", xlabel="rate α (ends: all beyond)",
                 ylabel="weights", xticks=(-1, -0.5, 0, 0.5, 1), yticks=(1, 10, 100, 1000))
        axes.set_title("Histogram")
        axes.minorticks_off()
        axes.grid(True, axis="y")
        axes.axvline(0, color=BLACK, lw=0.8)
        empty = np.zeros(len(EDGES) - 1)
        stairs = lambda label, **style: self.moving(axes.stairs(empty, EDGES, baseline=0.5, label=label, **style))
        filled = dict(fill=True, edgecolor="white", lw=0)
        self.bars = (stairs("negative", facecolor=VERMILION, hatch="////", **filled),
                     stairs("positive", facecolor=BLUE, **filled),
                     stairs("no gradient", color=BLACK, ls=":", lw=1.3))
        axes.legend(loc="lower right", bbox_to_anchor=(1.02, 0.97), ncols=3, borderaxespad=0.1, handlelength=1.3,
                    columnspacing=1.2)

    def _build_gradients(self, axes) -> None:
        axes.set(xlim=(-1.1, 1.1), ylim=(-1.5, 1.5), xticks=(-1, 0, 1), yticks=(-1, 0, 1),
                 xlabel="∂L/∂w, support set", ylabel="query set, w unmoved")
        axes.set_title("Picked: its gradients")
        axes.axhline(0, color=GREY, lw=0.8)
        axes.axvline(0, color=GREY, lw=0.8)
        for x, y in itertools.product((-0.55, 0.55), (-1.46, 1.46)):
            sign, colour = ("α > 0", BLUE) if x * y > 0 else ("α < 0", VERMILION)
            axes.text(x, y, f"asks for {sign}", ha="center", va="top" if y > 0 else "bottom", fontsize=8, color=colour)
        self.points = self.moving(axes.plot([], [], ls="", marker="o", ms=4, mfc=GREY, mec=BLACK, mew=0.4)[0])
        self.slope = self.moving(axes.plot([], [], color=BLACK, lw=2)[0])

    def _build_slice(self, axes) -> None:
        axes.set(xlim=(-1.05, 1.05), ylim=(-0.08, 1.08), xticks=(-1, -0.5, 0, 0.5, 1), yticks=(),
                 xlabel="its α, as a share of the range", ylabel="query loss")
        axes.set_title("Picked: loss along α")
        axes.axvline(0, color=GREY, lw=0.8)
        axes.grid(True, axis="x")
        plot = lambda **style: self.moving(axes.plot([], [], **style)[0])
        self.curve = plot(color=QUERY["color"], marker=".", ms=3, lw=1.6)
        self.here = plot(color=BLACK, ls="", marker="P", ms=9, mfc="#F0E442", zorder=6)
        self.window = self.label(axes, 0.03, 0.90, 8.5)
        self.range = self.label(axes, 0.03, 0.80, 8.5)

    def show(self, record) -> None:
        self._show_map(record)
        every, alive = (np.concatenate([a.ravel() for a in part.values()]) for part in (record.alpha, record.alive))
        inside = np.clip(every, EDGES[0] + 1e-6, EDGES[-1] - 1e-6)
        for bars, part in zip(self.bars, (alive & (every < 0), alive & (every >= 0), ~alive)):
            bars.set_data(np.maximum(np.histogram(inside[part], EDGES)[0], 0.5))
        scale = lambda g: g / max(float(np.abs(g).max()), 1e-12)
        g_s, g_q = scale(record.support_gradient), scale(record.query_gradient)
        self.points.set_data(g_s, g_q)
        slope = float(g_s @ g_q) / max(float(g_s @ g_s), 1e-12)
        end = min(1.05, 1.05 / max(abs(slope), 1e-12))
        self.slope.set_data([-end, end], [-slope * end, slope * end])
        self._show_slice(record)

    def _show_map(self, record) -> None:
        picture = np.zeros((*self.size, 4), np.uint8)                     # transparent where there is no weight
        marks = []
        for name, alpha in record.alpha.items():
            flat = alpha.ravel()
            rows, columns = self.cells(name, np.arange(flat.size))
            alive = record.alive[name].ravel()
            level = ((shade(flat) + 1) * 128).astype(int)
            picture[rows, columns] = np.where(alive[:, None], COLOURS[level], DEAD)
            below = alive & (flat < 0)
            marks.append(np.stack([columns[below], rows[below]]))
        self.map.set_data(picture)
        self.negative.set_data(*np.concatenate(marks, 1))
        row, column = self.cells(record.weight.tensor, record.weight.index)
        self.pick.set_data([column], [row])

    def _show_slice(self, record) -> None:
        span = float(record.slice_rates[-1])
        low, high = float(record.slice_loss.min()), float(record.slice_loss.max())
        height = max(high - low, 1e-12)
        level = (record.slice_loss - low) / height * 0.72
        self.curve.set_data(record.slice_rates / span, level)
        here = float(np.interp(record.rate, record.slice_rates, level))
        self.here.set_data([record.rate / span], [here])
        self.window.set_text(f"α: ≈{-span:.3g} to ≈{span:.3g}")
        self.range.set_text(f"loss: ≈{low:.4f} to ≈{high:.4f}")
