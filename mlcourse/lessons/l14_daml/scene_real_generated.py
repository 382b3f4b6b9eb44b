"""The scene of the explorer of generated pictures: a grid, PAD and label fidelity over training, discriminator
scores."""

from __future__ import annotations

import numpy as np

from mlcourse.plots.mosaic import Mosaic
from mlcourse.plots.scene import Scene
from mlcourse.plots.style import BLACK, BLUE, GREEN, GREY, VERMILION

COLUMNS = 8
ROWS = ("source x", "G(x, ξ)", "G(x, ξ'),\nother noise", "real target")
BINS = 24


class RealGeneratedScene(Scene):
    """`show` takes a `RealGeneratedRecord`. steps, pads, fidelities: of all snapshots; floor: the PAD of the target
    with itself; scores: every set of discriminator scores that is to be shown."""

    def __init__(self, steps, pads, fidelities, floor: float, scores, side: int):
        self.steps, self.pads, self.fidelities = map(np.asarray, (steps, pads, fidelities))
        self.floor, self.side = floor, side
        low, high = min(map(np.min, scores)), max(map(np.max, scores))
        margin = 0.05 * max(high - low, 1e-3)
        self.edges = np.linspace(low - margin, high + margin, BINS + 1)
        self.most = max(self._shares(some).max() for some in scores)
        super().__init__(10, 4.4)

    def build(self) -> None:
        cell = self.side + 2
        axes = self.figure.add_axes((0.105, 0.17, 0.49, 0.557))
        axes.set(xticks=[], xlim=(0, COLUMNS * cell), ylim=(len(ROWS) * cell, 0),
                 yticks=[(i + 0.5) * cell for i in range(len(ROWS))])
        axes.set_yticklabels(ROWS, fontsize=8.5)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.set_title("Framed: the judge names another class", fontsize=9.5)
        self.tiles = Mosaic(self, axes, "gray", 0, 1)
        self.frames = [self.moving(axes.plot([], [], color=VERMILION, lw=2)[0]) for _ in range(2 * COLUMNS)]
        self._build_curves(self.figure.add_axes((0.67, 0.57, 0.27, 0.28)))
        self._build_scores(self.figure.add_axes((0.67, 0.12, 0.27, 0.25)))

    def _build_curves(self, axes) -> None:
        axes.set(xlabel="step", xlim=(-0.03 * self.steps[-1], 1.03 * self.steps[-1]), ylim=(-0.25, 2.4),
                 yticks=(0, 1, 2))
        axes.set_ylabel("PAD", color=BLUE)
        axes.set_title("PAD and label fidelity over training", fontsize=9.5)
        pad, = axes.plot(self.steps, self.pads, color=BLUE, marker="o", ms=4)
        axes.axhline(self.floor, color=GREY, ls=":", lw=1.2)
        axes.text(0, self.floor + 0.05, "target with itself", fontsize=7.5, color="#555555", va="bottom")
        other = axes.twinx()
        fidelity, = other.plot(self.steps, 100 * self.fidelities, color=GREEN, marker="s", ms=4, ls="--")
        other.set(ylim=(-12.5, 120), yticks=(0, 50, 100))
        other.set_ylabel("label fidelity, %", color=GREEN)
        other.spines["top"].set_visible(False)
        self.now = self.moving(other.plot([], [], color=BLACK, lw=1.2)[0])
        step, = other.plot([], [], color=BLACK, lw=1.2)
        other.legend([pad, fidelity, step], ["PAD", "fidelity", "this step"], fontsize=7.5, ncols=3, loc="upper left",
                     bbox_to_anchor=(-0.02, 0.52), handlelength=1.6, columnspacing=1, handletextpad=0.4)

    def _build_scores(self, axes) -> None:
        axes.set(xlim=self.edges[[0, -1]], ylim=(0, 1.05 * self.most), xlabel="score of the discriminator")
        axes.set_ylabel("share", fontsize=8.5)
        axes.set_title("What the discriminator says", fontsize=9.5)
        self.hists = [self.moving(axes.plot([], [], drawstyle="steps-mid", color=color, ls=line, label=name)[0])
                      for color, line, name in ((BLACK, "-", "real"), (VERMILION, "--", "generated"))]
        for line, style in zip(self.hists, ("-", "--"), strict=True):
            axes.plot([], [], color=line.get_color(), ls=style, label="_")
        axes.legend(handles=[axes.lines[2], axes.lines[3]], labels=["real", "generated"], fontsize=7.5,
                    loc="upper left")

    def show(self, record) -> None:
        cell, grid = self.side + 2, np.ones((len(ROWS) * (self.side + 2), COLUMNS * (self.side + 2)))
        for i, row in enumerate((record.source, record.first, record.second, record.real)):
            for j, picture in enumerate(row):
                grid[i * cell + 1:(i + 1) * cell - 1, j * cell + 1:(j + 1) * cell - 1] = 1 - picture
        self.tiles.show(grid)
        wrong = np.concatenate([record.first_wrong, record.second_wrong])
        for n, frame in enumerate(self.frames):
            left, top = (n % COLUMNS) * cell, (1 + n // COLUMNS) * cell
            frame.set_visible(bool(wrong[n]))
            frame.set_data(np.array([0.5, 1, 1, 0, 0, 0.5]) * (cell - 1) + left + 0.5,
                           np.array([0, 0, 1, 1, 0, 0]) * (cell - 1) + top + 0.5)
        self.now.set_data([record.step] * 2, [-12.5, 120])
        for line, scores in zip(self.hists, (record.scores_real, record.scores_generated), strict=True):
            line.set_data((self.edges[1:] + self.edges[:-1]) / 2, self._shares(scores))

    def _shares(self, scores: np.ndarray) -> np.ndarray:
        """The share of scores in each bin."""
        return np.histogram(scores, self.edges)[0] / len(scores)
