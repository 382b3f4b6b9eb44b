"""Pictures of lesson 02, from the rows of `mlcourse study freeze`."""

from __future__ import annotations

import math
from collections.abc import Sequence

import matplotlib
import numpy as np
import torch
from torch import Tensor

from mlcourse.lessons.l02_transfer import gaps
from mlcourse.lessons.l02_transfer.figures_study import STYLES
from mlcourse.lessons.l02_transfer.gaps import fine_tuning, gaps_of
from mlcourse.lessons.l02_transfer.sources import NONE, SOURCES
from mlcourse.lessons.l02_transfer.study_freeze import EPISODES
from mlcourse.lessons.l02_transfer.study_freeze_arms import LONG
from mlcourse.plots.static import Picture, blank, picture
from mlcourse.plots.style import BLACK, GREY, RC, look
from mlcourse.statistics import Estimate, columns

PIXELS = "pixels, no source"
APART = 0.09            # of two sources at one k


def by_k(rows: Sequence[dict], source: str) -> dict[int, Tensor]:
    """{k: accuracies (%) by seed} of fine-tuning from a source; from NONE it is training from scratch."""
    return {k: torch.tensor(list(gaps.at(rows, (source, fine_tuning(rows, k)), k).values()))
            for k in gaps.measured_ks(rows)}


def every_gap(rows: Sequence[dict]) -> dict[tuple[str, str, int], tuple[Estimate, float]]:
    """{(arm, source, k): gap, p after Holm over its arm's family} of every arm that was measured from all sources."""
    arms = dict.fromkeys(row["arm"] for row in rows if row["arm"] not in (LONG, EPISODES))
    full = [arm for arm in arms if {row["source"] for row in rows if row["arm"] == arm} >= set(SOURCES)]
    return {(arm, *key): found for arm in full for key, found in gaps_of(rows, arm).items()}


def gain(rows: Sequence[dict], source: str, arm: str, k: int) -> Estimate:
    """Points that an arm from a source has over training from scratch, paired over seeds; `gaps.FINE` stands for
    `fine_tuning`."""
    full = fine_tuning(rows, k)
    return gaps.difference(rows, (source, full if arm == gaps.FINE else arm), (NONE, full), k)


def ends(rows: Sequence[dict], source: str, arm: str = gaps.FINE) -> float:
    """The crossover of an arm from a source: the least k such that at it and at every larger one the interval of the
    gain does not lie above 0; inf where it does at the largest."""
    ks = gaps.measured_ks(rows)
    helps = [gain(rows, source, arm, k).low > 0 for k in ks]
    return next((k for i, k in enumerate(ks) if not any(helps[i:])), math.inf)


def said_end(end: float, ks: Sequence[int]) -> str:
    """A crossover in words: "1 (never)" where a source is ahead nowhere, "beyond 50" where it is to the end."""
    return f"{end:g} (never)" if end == ks[0] else f"{end:g}" if end < math.inf else f"beyond {ks[-1]}"


def gains(rows: Sequence[dict]) -> Picture:
    """Points over training from scratch against labels of each class, with 95 % t intervals over seeds: each source
    fine-tuned, and a solved head on pixels. The title: the crossover of each source."""
    ks = gaps.measured_ks(rows)
    found = {source: [gain(rows, source, gaps.FINE, k) for k in ks] for source in SOURCES}
    found[PIXELS] = [gain(rows, NONE, "head on 0", k) for k in ks]
    title = "Fine-tuning's crossovers: " + ", ".join(
        f"{source} {said_end(ends(rows, source), ks)}" for source in SOURCES)
    figure, said = blank(8.6, 3.9), []
    with matplotlib.rc_context(RC):
        figure.suptitle(title, x=0.01, ha="left", fontsize=11)
        axes = figure.subplots()
        axes.axhline(0, color=GREY, lw=1.2)
        axes.grid(True, axis="y")
        for i, (source, curve) in enumerate(found.items()):
            mean, half = columns(curve)
            x = np.arange(len(ks)) + APART * (i - len(SOURCES) / 2)
            style = {**STYLES, PIXELS: look(BLACK, "X", "--")}[source]
            axes.errorbar(x, mean, yerr=half, **style, ms=5, lw=1.3, elinewidth=1, capsize=2, label=source)
            said.append(f"{source}: {', '.join(each.text(sign=True) for each in curve)}")
        axes.set_xticks(np.arange(len(ks)), list(map(str, ks)))
        axes.set(xlabel="labels of each class", ylabel="points over training from scratch")
        axes.legend(loc="upper right", ncols=2)
    labels = ", ".join(map(str, ks))
    return picture(figure, f"{title}. Points over training from scratch at {labels} labels: {'; '.join(said)}.")
