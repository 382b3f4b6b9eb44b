"""The picture of the race."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import numpy as np

from mlcourse.lessons.l07_optimiser import study_optimisers_arms as arms
from mlcourse.plots.static import Picture, blank, picture
from mlcourse.plots.style import GREY, RC, SERIES, short
from mlcourse.statistics import t_interval

SHOWN = (arms.LEARNED, arms.AGAIN, arms.BETAS_TOO, arms.MOMENTUM, arms.CLOSED, arms.CG)
PANELS = {"500 steps": "After 500 steps", "start 10 times as far": "From 10 times as far"}


def races(rows: Sequence[dict]) -> Picture:
    """The typical loss after each step, means over seeds (of the logarithm) with 95 % t intervals, in two settings.

    Raises ValueError where a setting has no rows.
    """
    said = []
    figure = blank(10.5, 4.2)
    with matplotlib.rc_context(RC):
        panels = figure.subplots(1, len(PANELS))
        for axes, (setting, title) in zip(panels, PANELS.items()):
            axes.grid(True)
            left = {}
            for arm, style in zip(SHOWN, SERIES):
                if not (curves := [row for row in rows if (row["arm"], row["setting"]) == (arm, setting)]):
                    raise ValueError(f"there are no rows of {arm!r} in the setting {setting!r}; run the study first")
                at, logs = curves[0]["at"], np.log([row["curve"] for row in curves])
                middle = logs.mean(0)
                axes.plot(at, np.exp(middle), **style, markevery=(2 + SERIES.index(style), 7), label=arm)
                if len(curves) > 1:
                    half = np.array([t_interval(column).half for column in logs.T])
                    ends = np.exp([middle - half, middle + half])
                    axes.fill_between(at, *ends, color=style["color"], alpha=0.2, lw=0)
                left[arm] = short(float(np.exp(middle[-1])))
            said.append(f"{setting}: " + ", ".join(f"{arm} {value}" for arm, value in left.items()))
            if at[-1] > 100:
                axes.axvline(100, color=GREY, ls="--", lw=1.2)
                axes.annotate("trained for 100", (100, 1e4), (4, 0), textcoords="offset points", fontsize=8.5)
            axes.set(yscale="log", ylim=(1e-6, 3e4), xlabel="steps", ylabel="loss (geometric mean)",
                     title=f"{title}: learned {left[arms.LEARNED]}, {arms.AGAIN} {left[arms.AGAIN]}")
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return picture(figure, f"Loss against steps of a learned optimiser and others. At the end: {'; '.join(said)}.")
