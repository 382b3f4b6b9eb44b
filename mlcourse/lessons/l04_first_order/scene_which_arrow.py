"""The scene of lesson 04's arrows: the plane of two tasks' gradients, whole and near the arrows' heads, and lengths and
angles in the whole space."""

from __future__ import annotations

import numpy as np
from matplotlib.patches import Rectangle

from mlcourse.lessons.l04_first_order.bars import Bars
from mlcourse.plots.scene import Scene
from mlcourse.plots.style import BLACK, GREY, SERIES, about

STEPS = 2 ** np.arange(-40, 41, 0.5)        # sizes that a window may have, so that it stands still while arrows move
LETTER = (5, 5)     # pixels from a letter's lower left corner to its middle


class PlanePanel:
    """The arrows in one window of the plane, those of the tasks themselves with their letters."""

    def __init__(self, scene: Scene, axes, algorithms: tuple[str, ...]):
        self.axes = axes
        axes.set(xlim=(-1, 1), ylim=(-1, 1), xticks=[], yticks=[], aspect="equal")
        axes.spines[:].set_visible(True)
        self.tasks = []
        for name in "AB":
            line, letter = scene.moving(axes.plot([], [], color=GREY, lw=1.2, ls=":")[0]), scene.label(axes, 0, 0, 11)
            letter.set_text(name)
            self.tasks.append((line, letter))
        self.arrows = {}
        for name, style in zip(algorithms, SERIES, strict=False):
            line = scene.moving(axes.plot([], [], color=style["color"], ls=style["linestyle"], lw=1.8, zorder=4)[0])
            mark = scene.moving(axes.plot([], [], ls="", color=style["color"], marker=style["marker"], ms=8.5,
                                          mec="white", mew=0.9, zorder=6)[0])
            self.arrows[name] = (line, mark)
        self.gap = scene.moving(axes.plot([], [], color=BLACK, lw=3.2, solid_capstyle="butt", zorder=5)[0])
        self.theta = scene.moving(axes.plot([], [], marker="o", ms=8, mfc="white", mec=BLACK, mew=1.6, ls="",
                                            zorder=7)[0])

    def show(self, record, centre: np.ndarray, half: float) -> None:
        """Draw what lies within `half` of the centre (2,) of the window."""
        place = lambda point: (np.asarray(point) - centre) / half
        start = place((0, 0))
        self.theta.set_data([start[0]], [start[1]])
        for (line, letter), end in zip(self.tasks, record.tasks, strict=True):
            end = place(end)
            line.set_data([start[0], end[0]], [start[1], end[1]])
            letter.left, letter.baseline = self.axes.transData.transform(start + 1.06 * (end - start)) - LETTER
            letter.set_visible(bool((np.abs(end) < 1).all()))
        for name, (line, mark) in self.arrows.items():
            end = place(record.places[name])
            seen = bool(np.isfinite(end).all())
            line.set_visible(seen)
            mark.set_visible(seen)
            if seen:
                line.set_data([start[0], end[0]], [start[1], end[1]])
                mark.set_data([end[0]], [end[1]])
        ends = np.stack([place(record.places[name]) for name in record.gap])
        self.gap.set_data(*ends.T)


class WhichArrowScene(Scene):
    """Four panels; `show` takes a `WhichArrowRecord`. algorithms: the names of the arrows, in order."""

    def __init__(self, algorithms: tuple[str, ...]):
        self.algorithms = algorithms
        super().__init__(9.8, 3.75)

    def build(self) -> None:
        figure = self.figure
        self.whole = PlanePanel(self, figure.add_axes((0.01, 0.16, 0.275, 0.68)), self.algorithms)
        self.near = PlanePanel(self, figure.add_axes((0.295, 0.16, 0.275, 0.68)), self.algorithms)
        self.whole.axes.set_title("Plane of both tasks' gradients")
        self.near.axes.set_title("Inside the frame")
        self.frame = self.moving(self.whole.axes.add_patch(Rectangle((0, 0), 1, 1, fill=False, ec=BLACK, lw=1)))
        names, rows = self.algorithms, (0.27, 0.57)
        self.lengths = Bars(self, (0.69, rows[0], 0.135, rows[1]), names, "Length ÷ joint's", (0, 1, 2), named=True)
        self.angles = Bars(self, (0.85, rows[0], 0.135, rows[1]), names, "Angle to MAML's", (0, 45, 90), named=False,
                           unit="°")
        figure.text(0.015, 0.045, "○ θ    A, B: downhill for one task alone    ▬ the missing term, from FOMAML's head "
                    "to MAML's", fontsize=8.8)
        figure.text(0.69, 0.105, "Bars: among all parameters.", fontsize=8.5)
        self.inside = self.label(self.lengths.axes, 0, -0.395, 8.5)

    def show(self, record) -> None:
        finite = np.vstack([each for each in record.places.values() if np.isfinite(each).all()])
        everything = np.vstack([finite, record.tasks, np.zeros((1, 2))])
        centre, half = window(everything, 1.15)
        low, radius = inside(window(finite, 1.5), (centre, half))
        self.whole.show(record, centre, half)
        self.near.show(record, low, radius)
        corner = (low - radius - centre) / half
        self.frame.set_bounds(*corner, 2 * radius / half, 2 * radius / half)
        self.lengths.show(record.lengths)
        self.angles.show(record.angles)
        self.inside.set_text(f"Missing term: {about(100 * record.inside)} % in the plane.")


def inside(frame: tuple[np.ndarray, float], whole: tuple[np.ndarray, float]) -> tuple[np.ndarray, float]:
    """A window, moved and cut so that it lies within another one."""
    (low, radius), (centre, half) = frame, whole
    radius = min(radius, half)
    return np.clip(low, centre - (half - radius), centre + (half - radius)), radius


def window(points: np.ndarray, margin: float) -> tuple[np.ndarray, float]:
    """Centre and half side of a square that holds the points (M, 2)."""
    low, high = points.min(0), points.max(0)
    need = margin * max(float((high - low).max()) / 2, 0.02 * float(np.abs(points).max()), 1e-12)
    return (low + high) / 2, float(STEPS[np.searchsorted(STEPS, need)])
