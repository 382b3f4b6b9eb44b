"""Pictures of lesson 02, from the rows of `mlcourse study freeze`."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import numpy as np

from mlcourse.lessons.l02_transfer import gaps
from mlcourse.lessons.l02_transfer.figures_study import STYLES
from mlcourse.lessons.l02_transfer.sources import NONE, SOURCES
from mlcourse.plots.static import Picture, blank, picture
from mlcourse.plots.style import GREY, RC
from mlcourse.statistics import Estimate, columns

PANELS = {"frozen 3": "three blocks kept, the rest trained", gaps.FINE: "everything trained"}
APART = 0.09            # of two sources at one k


def gain(rows: Sequence[dict], source: str, arm: str, k: int) -> Estimate:
    """Points that an arm from a source has over training from scratch, paired over seeds."""
    return gaps.difference(rows, (source, arm), (NONE, gaps.FINE), k)


def gains(rows: Sequence[dict]) -> Picture:
    """Points over training from scratch against labels of each class, for each source, with 95 % t intervals over seeds:
    frozen at depth 3, and fine-tuned. The title: up to how many labels each source is ahead at every k, fine-tuned."""
    ks = gaps.measured_ks(rows)
    found = {arm: {source: [gain(rows, source, arm, k) for k in ks] for source in SOURCES} for arm in PANELS}
    ahead = {source: max((k for i, k in enumerate(ks) if all(each.low > 0 for each in curve[:i + 1])), default=0)
             for source, curve in found[gaps.FINE].items()}
    title = "Fine-tuned, ahead of scratch at every k up to: " + ", ".join(
        f"{source} {k or 'nowhere'}" for source, k in ahead.items())
    figure, said = blank(9.6, 3.9), []
    with matplotlib.rc_context(RC):
        figure.suptitle(title, x=0.01, ha="left", fontsize=11)
        for axes, (arm, name) in zip(figure.subplots(1, 2, sharey=True), PANELS.items(), strict=True):
            axes.axhline(0, color=GREY, lw=1.2)
            axes.grid(True, axis="y")
            for i, (source, curve) in enumerate(found[arm].items()):
                mean, half = columns(curve)
                x = np.arange(len(ks)) + APART * (i - (len(SOURCES) - 1) / 2)
                axes.errorbar(x, mean, yerr=half, **STYLES[source], ms=5, lw=1.3, elinewidth=1, capsize=2, label=source)
                said.append(f"{name}, {source}: {', '.join(each.text(sign=True) for each in curve)}")
            axes.set_xticks(np.arange(len(ks)), list(map(str, ks)))
            axes.set_xlabel("labels of each class")
            axes.set_title(name)
            axes.tick_params(labelleft=True)
        figure.axes[0].set_ylabel("points over training from scratch")
        figure.axes[1].legend(loc="upper right", ncols=2)
    labels = ", ".join(map(str, ks))
    return picture(figure, f"{title}. Points over training from scratch at {labels} labels: {'; '.join(said)}.")
