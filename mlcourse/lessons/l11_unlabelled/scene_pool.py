"""The scene of the unlabelled pool: drawings in a plane with the prototypes on their way, and accuracies."""

from __future__ import annotations

from collections.abc import Sequence

from mlcourse.lessons.l11_unlabelled.pool import WAY
from mlcourse.plots.scene import Scene
from mlcourse.plots.style import BLACK, GREY, SERIES

LOOKS = tuple(dict(color=style["color"], marker=style["marker"]) for style in SERIES[:WAY])
LEAST, MOST = 84, 100       # per cent


class PoolScene(Scene):
    """`show` takes a `PoolRecord`. rules: whose accuracies stand in the right panel, from the
    top; of two the second goes without its name. Of more, the one that the left panel shows is filled."""

    def __init__(self, rules: Sequence[str]):
        self.rules = tuple(rules)
        super().__init__(10, 3.9)

    def build(self) -> None:
        self._build_plane(self.figure.add_axes((0.01, 0.07, 0.6, 0.69)))
        self._build_rules(self.figure.add_axes((0.74, 0.14, 0.24, 0.62)))

    def _build_plane(self, axes) -> None:
        axes.set(xlim=(-1.05, 1.05), ylim=(-1.05, 1.05), xticks=[], yticks=[],
                 xlabel="the two directions of feature space in which this episode's classes differ most")
        plot = lambda **style: self.moving(axes.plot([], [], **style)[0])
        self.strangers = plot(ls="", marker="x", ms=6, mew=1.4, color=GREY, label="unlabelled, other classes")
        self.pool = [plot(ls="", ms=5, alpha=0.55, mec="none", label=f"unlabelled, class {n}", **look)
                     for n, look in enumerate(LOOKS)]
        self.paths = [plot(lw=2, color=look["color"]) for look in LOOKS]
        self.now = [plot(ls="", marker="*", ms=11, color=look["color"], mec=BLACK, mew=0.8, zorder=6) for look in LOOKS]
        self.labelled = [plot(ls="", marker="o", ms=14, mfc="none", mec=look["color"], mew=2, zorder=7)
                         for look in LOOKS]
        still = lambda **style: axes.plot([], [], **style)
        still(ls="", marker="o", ms=9, mfc="none", mec=BLACK, mew=2, label="labelled drawing")
        still(lw=2, color=BLACK, marker="*", ms=10, mfc="white", mec=BLACK, label="prototype, on its way")
        handles, names = axes.get_legend_handles_labels()
        self.figure.legend(handles, names, loc="upper left", bbox_to_anchor=(0.005, 0.91), ncols=4, fontsize=8,
                           handlelength=1.6, handletextpad=0.4, columnspacing=0.9)

    def _build_rules(self, axes) -> None:
        rows = range(len(self.rules))
        names = self.rules if len(self.rules) > 2 else (self.rules[0], "with the pool")
        axes.set(xlim=(LEAST, MOST), ylim=(len(self.rules) - 0.4, -0.6), yticks=rows, yticklabels=names,
                 xlabel="right, % (± over 200 episodes)")
        if len(self.rules) > 2:
            axes.set_title("filled: as shown on the left", fontsize=8.5, pad=6)
        axes.grid(True, axis="x")
        self.reference = self.moving(axes.plot([], [], color=GREY, ls="--", lw=1.3)[0])
        self.spans = [self.moving(axes.plot([], [], lw=2.2, color=BLACK)[0]) for _ in rows]
        self.dots = [self.moving(axes.plot([], [], ls="", marker="o", ms=8, color=BLACK)[0]) for _ in rows]

    def show(self, record) -> None:
        for n, artist in enumerate(self.pool):
            artist.set_data(*record.places[record.owner == n].T)
        self.strangers.set_data(*record.places[record.owner == WAY].T)
        for artist, ring, path, start, end in zip(self.now, self.labelled, self.paths, record.labelled, record.now,
                                                  strict=True):
            artist.set_data(end[:1], end[1:])
            ring.set_data(start[:1], start[1:])
            path.set_data(*zip(start, end))
        first = record.right[self.rules[0]].mean
        self.reference.set_data([first, first], [-0.6, len(self.rules) - 0.4])
        for y, (rule, dot, span) in enumerate(zip(self.rules, self.dots, self.spans, strict=True)):
            found = record.right[rule]
            dot.set_data([found.mean], [y])
            dot.set_markerfacecolor(BLACK if rule == record.rule or len(self.rules) == 2 else "white")
            span.set_data([found.low, found.high], [y, y])
