"""The table and the picture of lesson 11 that stand still."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import numpy as np

from mlcourse.lessons.l11_unlabelled import study_unlabelled_results as study
from mlcourse.lessons.l11_unlabelled.results import (ARMS, BALANCED, BALANCES, DISTRACTORS, MASKED, PROTO, SOFT, apart)
from mlcourse.lessons.l11_unlabelled.study_unlabelled_arms import GLYPHS
from mlcourse.plots.static import Picture, blank, picture
from mlcourse.plots.style import RC, SERIES
from mlcourse.statistics import columns

DRAWN = (PROTO, SOFT, MASKED, BALANCED)         # the series of the picture
APART = 0.09                                    # between the points of two series


def table(rows: Sequence[dict]) -> str:
    """Every arm on even pools without and with other classes, and less ProtoNet, paired over seeds."""
    head = "".join(f"{f'{each} other classes':>18s}{'less ProtoNet':>15s}" for each in DISTRACTORS)
    lines = [f"{'% right':28s}{head}"]
    for arm in ARMS:
        cells = "".join(f"{study.mean(rows, arm, each).text():>18s}"
                        f"{'' if arm == PROTO else apart(rows, arm, PROTO, each).text(sign=True):>15s}"
                        for each in DISTRACTORS)
        lines.append(f"{arm:28s}{cells}".rstrip())
    return "\n".join(lines)


def largest(rows: Sequence[dict]) -> list[float]:
    """The mean share of the commonest class, in per cent, at each balance."""
    return next(row["largest"] for row in rows if row["part"] == GLYPHS and row["split"] == "test")


def balance(rows: Sequence[dict]) -> Picture:
    """Accuracy over how uneven the pool is, without and with other classes."""
    figure = blank(9.6, 3.6)
    with matplotlib.rc_context(RC):
        panels = figure.subplots(1, 2, sharey=True)
        for axes, others in zip(panels, DISTRACTORS, strict=True):
            for i, (arm, look) in enumerate(zip(DRAWN, SERIES, strict=False)):
                mean, half = columns([study.mean(rows, arm, others, each) for each in BALANCES])
                x = np.arange(len(BALANCES)) + APART * (i - (len(DRAWN) - 1) / 2)
                axes.errorbar(x, mean, yerr=half, label=arm, capsize=2, lw=1.6, ms=5, elinewidth=1.2, **look)
            names = [f"{each}\n{share:.0f} %" for each, share in zip(BALANCES, largest(rows), strict=True)]
            axes.set_xticks(range(len(BALANCES)), names)
            axes.set_title(f"{'no' if not others else 'five'} other classes in the pool")
            axes.grid(True, axis="y")
        panels[0].set_ylabel("right, % (± over five seeds)")
        figure.supxlabel("concentration, and the mean share of the commonest class", fontsize=9.5)
        panels[1].legend(loc="lower left")
        figure.suptitle("On uneven pools balanced assignment falls far below ProtoNet; shares by distance lose less",
                        x=0.01, ha="left", fontsize=10.5)
    said = "; ".join(f"{arm}, {others} other classes: " + ", ".join(
        study.mean(rows, arm, others, each).text() for each in BALANCES) for others in DISTRACTORS for arm in DRAWN)
    return picture(figure, f"Accuracy, per cent, at concentrations {', '.join(BALANCES)}: {said}.")
