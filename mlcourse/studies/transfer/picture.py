"""The picture of a transfer study: accuracy over labels per class, and distance of the domains against accuracy."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np

from mlcourse.plots.seeds import points
from mlcourse.plots.static import Picture, blank, picture
from mlcourse.plots.style import GREY, RC
from mlcourse.rows import frame
from mlcourse.statistics import Estimate
from mlcourse.studies.transfer.advice import pads, table
from mlcourse.studies.transfer.arms import ARMS

STYLES = {arm.name: arm.style for arm in ARMS}


def transfer(rows: Sequence[dict], chance: float) -> Picture:
    """Accuracy (%) of every arm over labels per class, and its accuracy against its PAD at k = 0.

    rows: of one source and target. chance: the accuracy (%) of guessing.
    """
    cells, far = table(rows), pads(rows)
    floors = [row["floor"] for row in rows if "floor" in row]
    ks = sorted({k for by_k in cells.values() for k in by_k})
    title = finding(rows[0]["source"], rows[0]["target"], cells)
    figure = blank(10, 4.4)
    with matplotlib.rc_context(RC):
        figure.suptitle(textwrap.fill(title, 115), x=0.01, ha="left", fontsize=11, fontweight="bold")
        left, right = figure.subplots(1, 2, width_ratios=(1.5, 1))
        left.grid(True)
        points(left, frame([row for row in rows if row["arm"] in cells]), "k", "accuracy", "arm", STYLES, ks)
        left.axhline(chance, color=GREY, lw=1, ls="--")
        left.annotate("chance", (1, chance), (-2, 2), xycoords=("axes fraction", "data"), textcoords="offset points",
                      ha="right", fontsize=8, color="#555555")
        left.set(xlabel="labels per class of the target, k", ylabel="accuracy on the target's test half (%)",
                 ylim=(0, 100))
        left.set_title("Accuracy, mean and 95 % interval over seeds")
        left.get_legend().remove()
        figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=7, fontsize=8)
        _distances(right, cells, far, sum(floors) / len(floors) if floors else 0.0)
    values = "; ".join(f"{arm}: " + ", ".join(f"k = {k} {by_k[k].mean:.1f} %" for k in sorted(by_k))
                       for arm, by_k in cells.items())
    return picture(figure, f"{title}. {values}.")


def _distances(axes, cells: Mapping, pads: Mapping[str, float], floor: float) -> None:
    axes.grid(True)
    for arm, pad in pads.items():
        style = {key: value for key, value in STYLES[arm].items() if key != "linestyle"}
        axes.errorbar(pad, cells[arm][0].mean, yerr=np.nan_to_num(cells[arm][0].half), **style, ls="", ms=7, capsize=2)
    if pads:
        axes.axvline(floor, color=GREY, ls="--", lw=1)
        axes.annotate("floor", (floor, 1), (3, -2), xycoords=("data", "axes fraction"), textcoords="offset points",
                      va="top", fontsize=8, color="#555555")
    axes.set(xlabel="PAD between source and target features", ylabel="accuracy at k = 0 (%)", xlim=(-0.3, 2.45),
             ylim=(0, 100))
    axes.set_title("Distance of features, and accuracy" if pads else "k = 0: not defined or not measured")


def finding(source: str, target: str, cells: Mapping[str, Mapping[int, Estimate]]) -> str:
    """No adaptation, and the arms with the highest means at the fewest labels and at the most, in one line."""
    ks = sorted({k for by_k in cells.values() for k in by_k})
    tops = []
    for k in dict.fromkeys((ks[0], ks[-1])):
        arm = max((arm for arm in cells if k in cells[arm]), key=lambda arm: cells[arm][k].mean)
        tops.append(f"{arm} {cells[arm][k].mean:.0f} % at k = {k}")
    base = cells.get("no adaptation", {}).get(0)
    start = f"no adaptation {base.mean:.0f} %; " if base else ""
    return f"{source} → {target}: {start}highest means: {', '.join(tops)}"
