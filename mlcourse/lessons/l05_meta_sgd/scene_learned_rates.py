"""The scene of the learned-rates explorer: map and histogram of α, the course of training, and one weight."""

from __future__ import annotations

import matplotlib
import numpy as np
from matplotlib.ticker import MaxNLocator

from mlcourse.plots.scene import Scene
from mlcourse.plots.style import BLACK, BLUE, GREY, QUERY, VERMILION

SATURATE = 0.3                # the map's colours end at ±0.3
EDGES = np.linspace(-0.5, 0.5, 42)          # an odd number of bins: the middle one holds 0
COLOURS = (matplotlib.colormaps["RdBu"](np.linspace(0.08, 0.92, 257)) * 255).astype(np.uint8)
GAP = 2                       # empty cells between two tensors on the map


class LearnedRatesScene(Scene):
    """Six panels; `show` takes a `LearnedRatesRecord`. shapes: those of an MLP's tensors by name, two hidden layers."""

    def __init__(self, shapes: dict[str, tuple[int, ...]]):
        self.shapes = shapes
        self.corners, self.size = self._layout()
        super().__init__(10, 5.7)

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
        self._build_map(figure.add_axes((0.012, 0.475, 0.30, 0.43)))
        self._build_histogram(figure.add_axes((0.395, 0.56, 0.25, 0.33)))
        self._build_course(figure.add_axes((0.72, 0.735, 0.265, 0.155)), figure.add_axes((0.72, 0.56, 0.265, 0.13)))
        self._build_gradients(figure.add_axes((0.065, 0.095, 0.24, 0.30)))
        self._build_slice(figure.add_axes((0.395, 0.095, 0.25, 0.30)))
        self._build_rate(figure.add_axes((0.72, 0.095, 0.265, 0.30)))

    def _build_map(self, axes) -> None:
        rows, columns = self.size
        axes.set(xlim=(-0.5, columns + 7), ylim=(rows - 0.5, -0.5), xticks=[], yticks=[], aspect="equal")
        axes.spines[:].set_visible(False)
        axes.set_title("Map of α: • negative, ✚ picked", loc="center", fontsize=10)
        self.map = self.moving(axes.imshow(np.full((rows, columns, 4), 255, np.uint8), interpolation="nearest",
                                           extent=(-0.5, columns - 0.5, rows - 0.5, -0.5)))
        self.negative = self.moving(axes.plot([], [], ls="", marker=".", ms=1.9, mec="none", color=BLACK)[0])
        self.pick = self.moving(axes.plot([], [], ls="", marker="P", ms=9, mfc="#F0E442", mec=BLACK, mew=1)[0])
        names = list(self.shapes)
        for name, text in ((names[0], "W₁"), (names[1], "b₁")):
            axes.text(-1.0, self.corners[name][0], text, ha="right", va="center", fontsize=8)
        for name, text in ((names[3], "b₂"), (names[4], "W₃")):
            axes.text(self.corners[name][1], rows + 0.2, text, ha="center", va="top", fontsize=8)
        axes.text(self.corners[names[5]][1] - 1.2, self.corners[names[5]][0], "b₃", ha="right", va="center", fontsize=8)
        middle = self.corners[names[2]][0] + self.shapes[names[2]][0] / 2
        axes.text(-1.0, middle, "W₂", ha="right", va="center", fontsize=8)
        bar = axes.inset_axes((0.955, 0.12, 0.03, 0.62))
        bar.imshow(COLOURS[::-1][:, None], aspect="auto", extent=(0, 1, -SATURATE, SATURATE))
        bar.set(xticks=[], yticks=(-SATURATE, 0, SATURATE))
        bar.yaxis.tick_right()
        bar.tick_params(labelsize=7, length=2)

    def _build_histogram(self, axes) -> None:
        axes.set(xlim=(EDGES[0], EDGES[-1]), ylim=(0.7, 3000), yscale="log", xlabel="rate α (ends: all beyond)",
                 ylabel="weights")
        axes.set_title("Histogram of α")
        axes.grid(True, axis="y")
        axes.axvline(0, color=BLACK, lw=0.8)
        stairs = lambda colour, hatch, label: self.moving(axes.stairs(
            np.zeros(len(EDGES) - 1), EDGES, baseline=0.5, fill=True, facecolor=colour, edgecolor="white", hatch=hatch,
            lw=0, label=label))
        self.bars = (stairs(VERMILION, "////", "negative"), stairs(BLUE, None, "positive"))
        axes.legend(loc="upper right", borderaxespad=0.1, handlelength=1.4)

    def _build_course(self, losses, shares) -> None:
        losses.set(yscale="log", ylim=(0.05, 30), ylabel="query loss", xticklabels=[])
        losses.set_title("The course of training")
        shares.set(ylim=(0, 45), ylabel="neg., %", xlabel="outer steps")
        self.courses = (losses, shares)
        for axes in self.courses:
            axes.set_xlim(0, 100)
            axes.grid(True)
            axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        plot = lambda axes, **style: self.moving(axes.plot([], [], **style)[0])
        self.before = plot(losses, color=GREY, ls="--", label="at θ")
        self.after = plot(losses, color=QUERY["color"], label="at φ")
        self.share = plot(shares, color=VERMILION)
        self.cursors = [plot(axes, color=BLACK, lw=1) for axes in self.courses]
        losses.legend(ncols=2, loc="upper right", borderaxespad=0, handlelength=1.8)

    def _build_gradients(self, axes) -> None:
        axes.set(xlim=(-1.1, 1.1), ylim=(-1.1, 1.1), xticks=(-1, 0, 1), yticks=(-1, 0, 1),
                 xlabel="∂L/∂w on the support set, at θ", ylabel="on the query set, w unmoved")
        axes.set_title("Picked weight: its gradients")
        axes.axhline(0, color=GREY, lw=0.8)
        axes.axvline(0, color=GREY, lw=0.8)
        for x, y, sign, colour in ((0.55, 0.97, "α > 0", BLUE), (-0.55, 0.97, "α < 0", VERMILION)):
            axes.text(x, y, f"asks for {sign}", ha="center", va="top", fontsize=8, color=colour)
        self.points = self.moving(axes.plot([], [], ls="", marker="o", ms=4, mfc=GREY, mec=BLACK, mew=0.4)[0])
        self.slope = self.moving(axes.plot([], [], color=BLACK, lw=2)[0])

    def _build_slice(self, axes) -> None:
        axes.set(xlim=(-1.05, 1.05), ylim=(-0.08, 1.08), xticks=(-1, -0.5, 0, 0.5, 1), yticks=(),
                 xlabel="its rate α, as a share of the window", ylabel="mean query loss")
        axes.set_title("Picked weight: loss along α")
        axes.axvline(0, color=GREY, lw=0.8)
        axes.grid(True, axis="x")
        plot = lambda **style: self.moving(axes.plot([], [], **style)[0])
        self.curve = plot(color=QUERY["color"], marker=".", ms=3, lw=1.6)
        self.here = plot(color=BLACK, ls="", marker="P", ms=9, mfc="#F0E442", zorder=6)
        self.window = self.label(axes, 0.03, 0.90, 8.5)
        self.range = self.label(axes, 0.03, 0.80, 8.5)

    def _build_rate(self, axes) -> None:
        axes.set(xlim=(0, 100), ylim=(-0.5, 0.5), xlabel="outer steps", ylabel="its rate α")
        axes.set_yscale("symlog", linthresh=0.01, linscale=0.6)
        axes.set_yticks((-1, -0.1, -0.01, 0, 0.01, 0.1, 1), ("-1", "-0.1", "-0.01", "0", "0.01", "0.1", "1"))
        axes.set_ylim(-2.5, 2.5)
        axes.minorticks_off()
        axes.set_title("Picked weight: its rate while training")
        axes.axhline(0, color=GREY, lw=0.8)
        axes.grid(True)
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        self.course = axes
        self.rate = self.moving(axes.plot([], [], color=BLACK)[0])
        self.now = self.moving(axes.plot([], [], ls="", marker="P", ms=9, mfc="#F0E442", mec=BLACK, zorder=6)[0])

    def show(self, record) -> None:
        self._show_map(record)
        every = np.concatenate([a.ravel() for a in record.alpha.values()])
        inside = np.clip(every, EDGES[0] + 1e-6, EDGES[-1] - 1e-6)
        for bars, part in zip(self.bars, (inside[every < 0], inside[every >= 0])):
            bars.set_data(np.maximum(np.histogram(part, EDGES)[0], 0.5))
        self._show_course(record)
        scale = lambda g: g / max(float(np.abs(g).max()), 1e-12)
        g_s, g_q = scale(record.support_gradient), scale(record.query_gradient)
        self.points.set_data(g_s, g_q)
        slope = float(g_s @ g_q) / max(float(g_s @ g_s), 1e-12)
        end = min(1.05, 1.05 / max(abs(slope), 1e-12))
        self.slope.set_data([-end, end], [-slope * end, slope * end])
        self._show_slice(record)

    def _show_map(self, record) -> None:
        picture = np.full((*self.size, 4), 255, np.uint8)
        marks = []
        for name, alpha in record.alpha.items():
            flat = alpha.ravel()
            rows, columns = self.cells(name, np.arange(flat.size))
            level = np.clip((flat / SATURATE + 1) * 128, 0, 256).astype(int)
            picture[rows, columns] = COLOURS[level]
            below = flat < 0
            marks.append(np.stack([columns[below], rows[below]]))
        self.map.set_data(picture)
        self.negative.set_data(*np.concatenate(marks, 1))
        row, column = self.cells(record.weight.tensor, record.weight.index)
        self.pick.set_data([column], [row])

    def _show_course(self, record) -> None:
        right = max(100, int(record.last))
        if self.course.get_xlim()[1] != right:
            for axes in (*self.courses, self.course):
                axes.set_xlim(0, right)
            self.stale()
        self.before.set_data(record.steps, record.before)
        self.after.set_data(record.steps, record.after)
        self.share.set_data(record.steps, 100 * record.negative)
        for cursor, axes in zip(self.cursors, self.courses):
            cursor.set_data([record.step, record.step], axes.get_ylim())
        self.rate.set_data(record.steps, record.rates)
        self.now.set_data([record.step], [record.rate])

    def _show_slice(self, record) -> None:
        span = float(record.slice_rates[-1])
        low, high = float(record.slice_loss.min()), float(record.slice_loss.max())
        height = max(high - low, 1e-12)
        level = (record.slice_loss - low) / height * 0.72
        self.curve.set_data(record.slice_rates / span, level)
        here = float(np.interp(record.rate, record.slice_rates, level))
        self.here.set_data([record.rate / span], [here])
        self.window.set_text(f"window: α from ≈{-span:.3g} to ≈{span:.3g}")
        self.range.set_text(f"loss from ≈{low:.4f} to ≈{high:.4f}")
