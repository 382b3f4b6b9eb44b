"""The scene of the inner-loop explorer: fit, losses per step, and the path over the support and query surfaces."""

from __future__ import annotations

import numpy as np

from mlcourse.plots.scene import Scene
from mlcourse.plots.style import BLACK, GREY, QUERY, SUPPORT
from mlcourse.plots.surface import SurfacePanel, colour_bar, line_spacing

HIGHEST = 1e3          # of the losses drawn; what lies above is marked
FIT_LIMIT = 6.5
LEGEND = dict(loc="lower left", bbox_to_anchor=(0, 0.985), borderaxespad=0, fontsize=8, handletextpad=0.4)
SUPPORT_MAP, QUERY_MAP = "Blues", "Oranges"


class FitScene(Scene):
    """The fit and the losses; `show` takes an `InnerLoopRecord`."""

    HEIGHT, BOTTOM, TALL = 3.0, 0.165, 0.57      # inches; of both panels, in figure heights
    BEFORE, AFTER, LOSS = "before", "after", "mean squared error"
    LOWEST = 1e-1                                # of the losses drawn

    def __init__(self, max_steps: int):
        self.max_steps = max_steps
        super().__init__(10, self.HEIGHT)

    def build(self) -> None:
        self._build_fit(self.figure.add_axes((0.055, self.BOTTOM, 0.555, self.TALL)))
        self._build_losses(self.figure.add_axes((0.69, self.BOTTOM, 0.295, self.TALL)))

    def _build_fit(self, axes) -> None:
        axes.set(xlim=(-5.1, 5.1), ylim=(-FIT_LIMIT, FIT_LIMIT), yticks=(-5, 0, 5))
        axes.set_xlabel("x", labelpad=0)
        axes.set_ylabel("y", labelpad=0)
        axes.grid(True)
        axes.set_title("Fit: the curve before and after each step", pad=19)
        plot = lambda **style: axes.plot([], [], **style)[0]
        self.truth = self.moving(plot(color=QUERY["color"], lw=2.2, ls=(0, (1, 1.2)), label="true curve (query)"))
        self.between = self.moving(plot(color=GREY, lw=0.9, alpha=0.75, label="between"))
        self.before = self.moving(plot(color=GREY, ls="--", lw=1.6, label=self.BEFORE))
        self.after = self.moving(plot(color=BLACK, lw=2.4, label=self.AFTER))
        self.support_points = self.moving(plot(**SUPPORT, ls="", ms=8, mec="white", mew=1, label="support points",
                                               zorder=5))
        axes.legend(ncols=5, handlelength=2, columnspacing=1.2, **LEGEND)

    def _build_losses(self, axes) -> None:
        axes.set(xlim=(-0.4, self.max_steps + 0.4), ylim=(self.LOWEST, 4 * HIGHEST), yscale="log",
                 yticks=(self.LOWEST, 1e1, 1e3), xticks=range(0, self.max_steps + 1, 2))
        axes.set_xlabel("gradient steps", labelpad=0)
        axes.set_ylabel(self.LOSS, labelpad=0)
        axes.grid(True, which="major")
        axes.set_title("Losses, step by step", pad=19)
        self.losses = []
        for style, line, label in ((SUPPORT, "-", "support"), (QUERY, "--", "query")):
            ahead = self.moving(axes.plot([], [], color=style["color"], ls=line, lw=1, alpha=0.3)[0])
            done = self.moving(axes.plot([], [], **style, ls=line, label=label, clip_on=False)[0])
            off = self.moving(axes.plot([], [], color=style["color"], ls="", marker="^", ms=9, clip_on=False)[0])
            self.losses.append((ahead, done, off))
        axes.plot([], [], color=GREY, lw=1, alpha=0.5, label="to come")
        axes.plot([], [], color=GREY, ls="", marker="^", ms=7, label=f"above {HIGHEST:g}")
        axes.legend(ncols=4, handlelength=1.5, columnspacing=0.8, **LEGEND)

    def show(self, record) -> None:
        s, limit = record.steps, 10 * FIT_LIMIT
        curves = np.clip(np.nan_to_num(record.curves, nan=limit, posinf=limit, neginf=-limit), -limit, limit)
        self.truth.set_data(record.x, record.truth)
        self.before.set_data(record.x, curves[0])
        self.after.set_data(record.x, curves[s])
        self.after.set_visible(s > 0)
        gap = np.full((max(s - 1, 0), 1), np.nan)                 # one line for all steps between, with gaps
        self.between.set_data(np.hstack([np.tile(record.x, (len(gap), 1)), gap]).ravel(),
                              np.hstack([curves[1:max(s, 1)], gap]).ravel())
        self.support_points.set_data(record.support_x, record.support_y)
        for (ahead, done, off), loss in zip(self.losses, (record.support_loss, record.query_loss)):
            steps, clipped = np.arange(len(loss)), np.clip(np.nan_to_num(loss, nan=np.inf), self.LOWEST, HIGHEST)
            ahead.set_data(steps[s:], clipped[s:])
            done.set_data(steps[:s + 1], clipped[:s + 1])
            over = np.flatnonzero(clipped[:s + 1] >= HIGHEST)
            off.set_data(steps[over], clipped[over])
            off.set_visible(len(over) > 0)
            ahead.set_visible(s < self.max_steps)


class InnerLoopScene(FitScene):
    """Fit and losses over two surfaces. `aspect` is the width over the height of a surface panel."""

    HEIGHT, BOTTOM, TALL = 4.1, 0.575, 0.245
    BEFORE, AFTER, LOSS = "before, f(x; θ)", "after, f(x; φ)", "MSE"
    LOWEST = 1e-3

    def __init__(self, max_steps: int, points: int):
        self.points = points
        super().__init__(max_steps)

    def build(self) -> None:
        super().build()
        box = (0.055, 0.06, 0.40, 0.34)
        self.support = SurfacePanel(self, self.figure.add_axes(box), SUPPORT_MAP,
                                    "Support loss around θ: what the steps see", self.points)
        self.query = SurfacePanel(self, self.figure.add_axes((0.53, *box[1:])), QUERY_MAP,
                                  "Query loss on the same slice: what counts", self.points, False)
        self.aspect = self.support.aspect
        for panel, left, colormap in ((self.support, 0.462, SUPPORT_MAP), (self.query, 0.937, QUERY_MAP)):
            panel.axes.set_xlabel("→ along the first step      ○ θ    ★ φ    × lowest, if inside", labelpad=2)
            colour_bar(self, self.figure.add_axes((left, box[1], 0.011, box[3])), colormap, "MSE")
        self.support.axes.set_ylabel("↑ across it")
        self.paths = [self._build_path(panel.axes) for panel in (self.support, self.query)]

    def _build_path(self, axes):
        line = self.moving(axes.plot([], [], color=BLACK, lw=1.5, marker="o", ms=3.5, zorder=5)[0])
        start = self.moving(axes.plot([], [], ls="", marker="o", ms=9, mfc="white", mec=BLACK, mew=1.6, zorder=6)[0])
        end = self.moving(axes.plot([], [], ls="", marker="*", ms=14, mfc=BLACK, mec="white", mew=0.9, zorder=7)[0])
        return line, start, end

    def show(self, record) -> None:
        super().show(record)
        s = record.steps
        spacing = line_spacing(record.support_surface, record.query_surface)
        self.support.show(record.a, record.b, record.support_surface, spacing)
        self.query.show(record.a, record.b, record.query_surface, spacing)
        for panel, (line, start, end) in zip((self.support, self.query), self.paths):
            path = panel.place(record.path[:s + 1])
            line.set_data(*path.T)
            start.set_data(*path[:1].T)
            end.set_data(*path[s:].T)
            end.set_visible(s > 0)
