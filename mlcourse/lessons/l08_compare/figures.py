"""Pictures and tables of lesson 08 that stand still."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import matplotlib
import numpy as np

from mlcourse.lessons.l08_compare.results import ARMS, apart, by_seed, mean
from mlcourse.plots.static import Picture, blank, picture
from mlcourse.plots.style import BLACK, BLUE, ORANGE, RC, VERMILION


class Errors(NamedTuple):
    """Errors in the one-shot task, in per cent. official: the runs of Lake et al., else ours, built from test
    alphabets. half: of the 95 % interval over 20 runs, nan where none is published. kind: who or what."""

    name: str
    error: float
    half: float
    official: bool
    kind: str


PEOPLE, PROGRAM, NETWORK, POINTS = "people", "programs of strokes", "networks", "a distance of points"
ONE_SHOT = (
    Errors("BPL", 3.3, np.nan, True, PROGRAM),
    Errors("people", 4.5, np.nan, True, PEOPLE),
    Errors("ProtoNet, published", 13.7, np.nan, True, NETWORK),
    Errors("modified Hausdorff", 38.8, np.nan, True, POINTS),
    Errors("ProtoNet, ours", 6.3, 2.8, False, NETWORK),
    Errors("modified Hausdorff", 32.2, 7.2, False, POINTS),
)
PUBLISHED, HUMAN = ONE_SHOT[2].error, ONE_SHOT[1].error
LOOK = {PEOPLE: BLACK, PROGRAM: ORANGE, NETWORK: BLUE, POINTS: VERMILION}


def one_shot() -> Picture:
    """Errors of people, programs, networks and a distance in the one-shot task, on the official runs and on ours."""
    figure = blank(8, 3.3)
    with matplotlib.rc_context(RC):
        axes = figure.subplots()
        places = [0, 1, 2, 3, 4.6, 5.6]
        for y, each in zip(places, ONE_SHOT, strict=True):
            axes.barh(y, each.error, height=0.62, color=LOOK[each.kind], alpha=0.8,
                      hatch="" if each.official else "///", edgecolor="white")
            half = 0.0 if np.isnan(each.half) else each.half
            if half:
                axes.errorbar(each.error, y, xerr=half, fmt="none", ecolor=BLACK, elinewidth=1.5, capsize=3)
            said = f"{each.error:g}" + (f" ± {each.half:g}" if half else "")
            axes.annotate(said, (each.error + half, y), (5, 0), textcoords="offset points", va="center", fontsize=9)
        axes.set_yticks(places, [each.name for each in ONE_SHOT])
        axes.set(ylim=(6.1, -0.9), xlim=(0, 46), xlabel="error (%), 20-way 1-shot within an alphabet; ± over 20 runs")
        for y, text in ((-0.65, "official runs"), (3.95, "20 runs of ours, from other alphabets")):
            axes.annotate(text, (1, y), xycoords=("axes fraction", "data"), ha="right", va="center", fontsize=9,
                          fontstyle="italic")
        axes.set_title("One drawing of each: the published ProtoNet errs three times as often as people")
    said = "; ".join(f"{each.name}{'' if each.official else ' on our runs'} {each.error:g}"
                     + ("" if np.isnan(each.half) else f" ± {each.half:g}") for each in ONE_SHOT)
    return picture(figure, f"Errors in Omniglot's one-shot task, per cent: {said}.")


def table(rows: Sequence[dict]) -> str:
    """Every arm, 1-shot and 5-shot, and the seconds of one core that its training took."""
    lines = [f"{'% right':12s}{'1-shot':>13s}{'5-shot':>13s}{'core s':>8s}"]
    for arm in ARMS:
        one, five = (mean(rows, arm, shot).text() for shot in (1, 5))
        seconds = by_seed(rows, arm, 1, field="core_seconds").values()
        lines.append(f"{arm:12s}{one:>13s}{five:>13s}{sum(seconds) / len(seconds):>8.0f}")
    return "\n".join(lines)


STEPS = {"ProtoNet": "ProtoNet", "NCA": "all pairs: NCA", "NCA, unit length": "cosines, τ = 0.05",
         "NCA, unit length, warm": "τ = 0.1", "SupCon, no views": "two layers before the loss",
         "SupCon": "changed copies: SupCon"}
BATCHES = {"NCA": "NCA (64 classes × 2)",
           **{name: name for name in ("NCA, 32 × 4", "NCA, 16 × 8", "NCA, any pictures")}}


def steps_table(rows: Sequence[dict]) -> str:
    """From ProtoNet to SupCon, one change a line, each less the line above."""
    lines = [f"{'% right, 1-shot':28s}{'less the line above':>33s}"]
    for above, (arm, name) in zip([None, *STEPS], STEPS.items()):
        gap = apart(rows, arm, above, 1).text(sign=True) if above else ""
        lines.append(f"{name:28s}{mean(rows, arm, 1).text():>11s}{gap:>22s}".rstrip())
    return "\n".join(lines)


def batches_table(rows: Sequence[dict]) -> str:
    """NCA by what its batches of 128 pictures are made of, and less that of 64 classes × 2."""
    lines = [f"{'batches of NCA':28s}{'':>11s}{'less 64 × 2':>22s}"]
    for arm, name in BATCHES.items():
        gap = "" if arm == "NCA" else apart(rows, arm, "NCA", 1).text(sign=True)
        lines.append(f"{name:28s}{mean(rows, arm, 1).text():>11s}{gap:>22s}".rstrip())
    return "\n".join(lines)
