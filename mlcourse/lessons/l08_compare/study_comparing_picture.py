"""The picture of `mlcourse study comparing`."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib

from mlcourse.lessons.l08_compare.study_comparing_results import BATCHES, METHODS, STEPS, apart, mean
from mlcourse.lessons.l08_compare.study_comparing_settings import (ANY, CONTRAST, FEWER, FEWEST, GLYPHS, HEADED, PAIRS,
                                                                   PROTO, UNIT, WARM)
from mlcourse.plots.static import Picture, blank, picture
from mlcourse.plots.style import RC, SERIES

PATH = {PROTO: "ProtoNet", PAIRS: "all pairs of the batch (NCA)", UNIT: "… at unit length",
        WARM: "… at twice the temperature", HEADED: "… behind a projection", CONTRAST: "… on views (SupCon)"}
MADE = {PAIRS: "64 classes × 2", FEWER: "32 × 4", FEWEST: "16 × 8", ANY: "128, whatever they show"}


def comparison(rows: Sequence[dict]) -> Picture:
    """All methods on glyphs, the way from ProtoNet to SupCon, and NCA on batches made of other classes: 5-way accuracy
    on new scripts with 95 % t intervals over seeds. Raises ValueError where rows are missing."""
    gap = apart(rows, (GLYPHS, PAIRS), (GLYPHS, PROTO))
    title = f"Without episodes: NCA less ProtoNet {gap.text(1, sign=True)} points, 1-shot on new scripts"
    panels = (("As many pictures for each method", [(GLYPHS, arm) for arm in METHODS], {}, (1, 5)),
              ("From ProtoNet to SupCon", STEPS, PATH, (1,)), ("NCA: what a batch is made of", BATCHES, MADE, (1,)))
    figure, said = blank(11, 3.7), []
    with matplotlib.rc_context(RC):
        figure.suptitle(title, x=0.01, ha="left", fontsize=11)
        for axes, (name, arms, words, shots) in zip(figure.subplots(1, 3), panels, strict=True):
            for shot, style in zip(shots, SERIES, strict=False):
                found = [mean(rows, *arm, shot) for arm in arms]
                axes.errorbar([each.mean for each in found], range(len(arms)), xerr=[each.half for each in found],
                              fmt=style["marker"], color=style["color"], capsize=3, ms=5, label=f"{shot}-shot")
                said += [f"{words.get(arm[1], arm[1])} {shot}-shot {each.text(tight=True)}"
                         for arm, each in zip(arms, found, strict=True)]
            axes.set_yticks(range(len(arms)), [words.get(arm, arm) for _, arm in arms])
            axes.set(title=name, xlabel="5-way accuracy (%)", ylim=(len(arms) - 0.5, -0.5))
            axes.grid(True, axis="x")
            if len(shots) > 1:
                axes.legend(loc="lower left")
    return picture(figure, f"{title}. {'; '.join(said)}.")
