"""The scene of the outer-loop player: fits of three tasks, the meta-loss curve, and φ_i on two loss surfaces."""

from __future__ import annotations

import numpy as np
from matplotlib.ticker import MaxNLocator

from mlcourse.lessons.l03_maml.scene_inner_loop import QUERY_MAP, SUPPORT_MAP
from mlcourse.plots.scene import Scene
from mlcourse.plots.style import BLACK, GREY, QUERY, SUPPORT, TASKS, about
from mlcourse.plots.surface import SurfacePanel, colour_bar, line_spacing

FIT_LIMIT = 6.5
LOSS_LIMITS = (0.05, 50.0)


class OuterLoopScene(Scene):
    """Six panels; `show` takes an `OuterLoopRecord`. `aspect` is the width over the height of a surface panel."""

    def __init__(self, tasks: list[tuple[str, np.ndarray, np.ndarray]], curves: tuple[np.ndarray, np.ndarray],
                 points: int):
        """tasks: (name, support_x, support_y) of the three tasks; curves: x (50,) and the true curves (3, 50). They
        never change, so they are drawn once. points: grid points along a side of a surface."""
        self.tasks, self.curves, self.points = tasks, curves, points
        super().__init__(10, 4.1)

    def build(self) -> None:
        figure = self.figure
        self.fits = [self._build_fit(figure.add_axes((0.045 + 0.325 * i, 0.60, 0.29, 0.26)), i)
                     for i in range(len(self.tasks))]
        handles = [self.fits[0][key] for key in ("truth", "before", "after", "points")]
        figure.legend(handles, ["true curve (query)", "before, f(x; θ)", "after, f(x; φᵢ)", "support points"], ncols=4,
                      loc="upper center", bbox_to_anchor=(0.5, 0.535), handlelength=2.2)
        self._build_curve(figure.add_axes((0.065, 0.105, 0.26, 0.295)))
        box = (0.385, 0.065, 0.245, 0.335)
        self.support = SurfacePanel(self, figure.add_axes(box), SUPPORT_MAP, "", self.points)
        self.query = SurfacePanel(self, figure.add_axes((0.7, *box[1:])), QUERY_MAP, "", self.points, False)
        self.aspect = self.support.aspect
        self.marks = []
        for panel, left, colormap, what, end in ((self.support, 0.638, SUPPORT_MAP, "Support", 0.685),
                                                 (self.query, 0.953, QUERY_MAP, "Query", 0.635)):
            panel.axes.set_xlabel("○ θ    ▲◆▼ φᵢ    × lowest, if inside", fontsize=8.5, labelpad=3)
            colour_bar(self, figure.add_axes((left, box[1], 0.011, box[3])), colormap, "MSE")
            self.marks.append(self._build_marks(panel.axes, what, end))

    def _build_fit(self, axes, i: int) -> dict:
        axes.set(xlim=(-5.1, 5.1), ylim=(-FIT_LIMIT, FIT_LIMIT), yticks=(-5, 0, 5))
        axes.set_xlabel("x", labelpad=0)
        axes.set_ylabel("y" if i == 0 else "", labelpad=-3)
        axes.grid(True)
        name, x, y = self.tasks[i]
        axes.text(0.075, 1.05, f"Task {name}: query loss", transform=axes.transAxes, fontsize=10.5)
        axes.plot([0.035], [1.10], transform=axes.transAxes, clip_on=False, ls="", ms=9, mec=BLACK, mew=0.8, **TASKS[i])
        truth, = axes.plot(self.curves[0], self.curves[1][i], color=QUERY["color"], lw=2.2, ls=(0, (1, 1.2)))
        points, = axes.plot(x, y, **SUPPORT, ls="", ms=6.5, mec="white", mew=0.8)
        before, after = self.moving(axes.plot([], [], color=GREY, ls="--", lw=1.5)[0],
                                    axes.plot([], [], color=BLACK, lw=2.2, alpha=0.9)[0])
        change = self.label(axes, 0.565, 1.05, 10.5)
        return dict(truth=truth, before=before, after=after, points=points, change=change)

    def _build_curve(self, axes) -> None:
        axes.set(xlim=(0, 100), ylim=LOSS_LIMITS, yscale="log", ylabel="mean squared error")
        axes.set_xlabel("outer steps", labelpad=0)
        axes.set_yticks([0.1, 1, 10], ["0.1", "1", "10"])
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.grid(True)
        axes.set_title("Query loss of 40 other tasks")
        plot = lambda **style: self.moving(axes.plot([], [], **style)[0])
        self.curve = axes
        self.batches = plot(color="#F0C8A8", lw=0.8, zorder=1)
        self.left = [plot(color=GREY, lw=0.9, ls="-.", zorder=2) for _ in range(3)]
        self.check_before = plot(color=GREY, ls="--", lw=1.8, label="at θ, before adapting")
        self.check_after = plot(color=QUERY["color"], lw=2.2, label="at φ, after adapting")
        self.cursor = plot(color=BLACK, lw=1)
        self.at = plot(color=QUERY["color"], marker=QUERY["marker"], ls="", ms=8, mec="white", mew=1, zorder=6)
        self.off = plot(color=BLACK, marker="^", ls="", ms=8, clip_on=False, label=f"above {LOSS_LIMITS[1]:g}")
        axes.legend(loc="lower left", borderaxespad=0.1, labelspacing=0.2)

    def _build_marks(self, axes, what: str, left: float) -> dict:
        arrows = self.moving(axes.plot([], [], color=BLACK, lw=1.2, zorder=5)[0])
        ends = [self.moving(axes.plot([], [], ls="", ms=9, mec=BLACK, mew=0.9, zorder=6, **style)[0])
                for style in TASKS]
        theta = self.moving(axes.plot([], [], ls="", marker="o", ms=9, mfc="white", mec=BLACK, mew=1.6, zorder=7)[0])
        axes.text(0, 1.04, f"{what} loss of task", transform=axes.transAxes, fontsize=10.5)
        badges = [self.moving(axes.plot([left], [1.078], transform=axes.transAxes, clip_on=False, ls="", ms=9,
                                        mec=BLACK, mew=0.9, **style)[0]) for style in TASKS]
        return dict(arrows=arrows, ends=ends, theta=theta, badges=badges)

    def show(self, record) -> None:
        for i, fit in enumerate(self.fits):
            fit["before"].set_data(record.x, _within(record.before))
            fit["after"].set_data(record.x, _within(record.after[i]))
            fit["change"].set_text(f"{about(record.query_before[i])} → {about(record.query_after[i])}")
        self._show_curve(record)
        spacing = line_spacing(record.support_surface, record.query_surface)
        self.support.show(record.a, record.b, record.support_surface, spacing)
        self.query.show(record.a, record.b, record.query_surface, spacing)
        for panel, marks in zip((self.support, self.query), self.marks):
            ends = panel.place(record.phi)
            start = panel.place(np.zeros((1, 2)))
            marks["theta"].set_data(*start.T)
            gap = np.full((len(ends), 2), np.nan)
            marks["arrows"].set_data(*np.stack([np.repeat(start, len(ends), 0), ends, gap], 1).reshape(-1, 2).T)
            for i, (end, badge) in enumerate(zip(marks["ends"], marks["badges"])):
                end.set_data(*ends[i:i + 1].T)
                end.set_alpha(1.0 if i == record.shown else 0.6)
                badge.set_visible(i == record.shown)

    def _show_curve(self, record) -> None:
        furthest = max([record.last, *(steps[-1] for steps, _ in record.abandoned)])
        right = float(next(size for size in _axis_lengths() if size >= furthest))
        if self.curve.get_xlim()[1] != right:
            self.curve.set_xlim(0, right)
            self.stale()
        clip = lambda loss: np.clip(np.nan_to_num(loss, nan=1e9), LOSS_LIMITS[0], LOSS_LIMITS[1])
        every = max(1, len(record.losses) // 400)
        self.batches.set_data(np.arange(0, len(record.losses), every), clip(record.losses[::every]))
        self.check_before.set_data(record.check_steps, clip(record.check_before))
        self.check_after.set_data(record.check_steps, clip(record.check_after))
        for line, (steps, losses) in zip(self.left, [*record.abandoned, *[([], [])] * len(self.left)]):
            line.set_data(steps, clip(losses))
            line.set_visible(len(steps) > 0)
        here = clip(np.array([record.held_after]))
        self.cursor.set_data([record.step, record.step], [here[0], LOSS_LIMITS[1]])
        self.at.set_data([record.step], here)
        over = clip(record.check_after) >= LOSS_LIMITS[1]
        self.off.set_data(record.check_steps[over], clip(record.check_after[over]))


def _within(curve: np.ndarray) -> np.ndarray:
    limit = 10 * FIT_LIMIT
    return np.clip(np.nan_to_num(curve, nan=limit, posinf=limit, neginf=-limit), -limit, limit)


def _axis_lengths():
    """50, 100, 200, 500, 1000, …"""
    size = 50
    while True:
        yield from (size, 2 * size, 4 * size)
        size *= 10
