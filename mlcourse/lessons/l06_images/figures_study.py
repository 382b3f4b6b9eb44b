"""The picture of `mlcourse study protocol`."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib

from mlcourse.lessons.l06_images.leaks import BY_SCRIPT, LEAKS
from mlcourse.lessons.l06_images.results import company, leak, mean
from mlcourse.nets import NORMS
from mlcourse.plots.static import Picture, blank, picture
from mlcourse.plots.style import GREY, RC, SERIES

COMPANIES = {"all": "all 75 queries", "alone": "the query alone", "one class": "15 queries of its class"}


def what_a_score_is_worth(rows: Sequence[dict]) -> Picture:
    """Accuracy of both methods with every norm in three companies, and the score of splits that leak less the honest
    one, with 95 % t intervals over seeds. Raises ValueError where rows are missing."""
    gift = company(rows, "ProtoNet", "batch", "alone", "all")
    title = f"Batch statistics: ProtoNet loses {(-gift.mean):.1f} ± {gift.half:.1f} points when a query comes alone"
    figure, said = blank(10, 4.0), []
    with matplotlib.rc_context(RC):
        figure.suptitle(title, x=0.01, ha="left", fontsize=11)
        *panels, right = figure.subplots(1, 3, width_ratios=(1, 1, 0.9))
        for axes, arm in zip(panels, ("MAML", "ProtoNet"), strict=True):
            axes.axvline(20, color=GREY, ls=":", lw=1.3, label="chance")
            for place, ((name, words), style) in enumerate(zip(COMPANIES.items(), SERIES)):
                shown = ["batch"] if name == "one class" else NORMS
                values = [mean(rows, "norms", arm, name, norm=norm) for norm in shown]
                axes.errorbar([v.mean for v in values], [i + 0.16 * (place - 1) for i in range(len(shown))],
                              xerr=[v.half for v in values], fmt=style["marker"], color=style["color"], capsize=3, ms=5,
                              label=words)
                said += [f"{arm} norm {norm}, {words} {v.text(tight=True)}" for norm, v in zip(shown, values)]
            axes.set_yticks(range(len(NORMS)), NORMS)
            axes.set(title=arm, xlabel="5-way 1-shot accuracy (%)", ylim=(len(NORMS) - 0.5, -0.5))
        leaking = [split for split in LEAKS if split != BY_SCRIPT]
        values = [leak(rows, split) for split in leaking]
        right.axvline(0, color=GREY, lw=1.0)
        right.errorbar([v.mean for v in values], range(len(values)), xerr=[v.half for v in values], fmt="D", color="k",
                       capsize=3, ms=5)
        said += [f"split {split} {v.text(sign=True, tight=True)} points" for split, v in zip(leaking, values)]
        right.set_yticks(range(len(values)), leaking)
        right.set(title="What is trained on", xlabel="less the split by script (points)",
                  ylim=(len(values) - 0.5, -0.5))
        for axes in (*panels, right):
            axes.grid(True, axis="x")
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return picture(figure, f"{title}. {'; '.join(said)}.")
