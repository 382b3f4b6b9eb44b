"""The scene of lesson 07's race: losses over the steps, and the learned update over the gradient."""

from __future__ import annotations

import numpy as np

from mlcourse.lessons.l07_optimiser.race import GRADIENTS, LEARNED
from mlcourse.plots.scene import Scene
from mlcourse.plots.style import BLACK, BLUE, GREY, SERIES

LOSSES = (1e-8, 1e6)
LEAST_G, LEAST_U = 1e-3, 1e-4         # below these the axes of the right panel are linear
TICKS_G, TICKS_U = (0.01, 1, 100), (0.001, 0.01, 0.1, 1)


def squeezed(values: np.ndarray, least: float) -> np.ndarray:
    """Where values of any sign and size stand: in their logarithms, and about linear below `least`."""
    values = np.asarray(values, float)
    return np.sign(values) * np.log10(1 + np.abs(values) / least)


def signed(ticks: tuple[float, ...], least: float) -> tuple[list[float], list[str]]:
    """Places and words of ticks on both sides of 0."""
    values = [-t for t in reversed(ticks)] + [0.0] + list(ticks)
    return list(squeezed(values, least)), [f"{v:g}".replace("-", "−") for v in values]


class OptimiserRaceScene(Scene):
    """Two panels; `show` takes an `OptimiserRaceRecord`. racers: their names, in order. rate: of the SGD that the right
    panel has for comparison."""

    def __init__(self, racers: tuple[str, ...], rate: float, trained: int):
        self.racers, self.rate, self.trained = racers, rate, trained
        super().__init__(9.8, 4.0)

    def build(self) -> None:
        left = self.figure.add_axes((0.075, 0.13, 0.455, 0.735))
        left.set(xlim=(1, 560), ylim=LOSSES, xscale="log", yscale="log", xlabel="steps", ylabel="typical loss left")
        left.set_xticks([1, 10, 100, 500], ["1", "10", "100", "500"])
        left.set_title("The race")
        left.axvline(self.trained, color=GREY, ls=":", lw=1.3)
        left.annotate("trained for 100", (self.trained, 1), (-3, -3), xycoords=("data", "axes fraction"), ha="right",
                      va="top", textcoords="offset points", fontsize=8.5)
        self.lines = {}
        for i, (name, style) in enumerate(zip(self.racers, SERIES, strict=False)):
            self.lines[name] = self.moving(left.plot(
                [], [], **style, lw=2.6 if name == LEARNED else 1.5, markevery=0.17, ms=5, zorder=6 if not i else 3,
                label=name)[0])
        left.legend(loc="lower left", borderaxespad=0.2, fontsize=8, handlelength=1.6)
        right = self.figure.add_axes((0.615, 0.13, 0.375, 0.735))
        top = squeezed(1.5, LEAST_U)
        right.set(xlim=squeezed([-150, 150], LEAST_G), ylim=(-top, top),
                  xlabel="next gradient g (logarithmic on both sides of 0)", ylabel="update u")
        right.set_xticks(*signed(TICKS_G, LEAST_G))
        right.set_yticks(*signed(TICKS_U, LEAST_U))
        right.set_title("What it would answer to each g")
        right.axhline(0, color="#C8C8C8", lw=0.8)
        right.axvline(0, color="#C8C8C8", lw=0.8)
        right.plot(squeezed(GRADIENTS, LEAST_G), squeezed(-self.rate * GRADIENTS, LEAST_U), color=BLACK, ls="--",
                   lw=1.5, label=f"SGD, rate {self.rate:.3f}")
        at = squeezed(GRADIENTS, LEAST_G)
        self.curves = [self.moving(right.plot(at, at, color=BLUE, lw=0.9, alpha=0.6)[0]) for _ in range(10)]
        self.next = self.moving(right.plot([], [], ls="", marker="o", ms=6, color=BLUE, mec="white", mew=0.8,
                                           zorder=6)[0])
        right.plot([], [], color=BLUE, lw=0.9, label="learned, ten coordinates")
        right.plot([], [], ls="", marker="o", ms=6, color=BLUE, label="its next step")
        right.legend(loc="upper right", borderaxespad=0.2)

    def show(self, record) -> None:
        for name, line in self.lines.items():
            losses = record.losses[name]
            line.set_data(np.arange(1, len(losses)), np.clip(losses[1:], *LOSSES))
        for line, updates in zip(self.curves, record.dissection.updates, strict=True):
            line.set_ydata(squeezed(updates, LEAST_U))
        self.next.set_data(squeezed(record.dissection.seen, LEAST_G), squeezed(record.dissection.taken, LEAST_U))
