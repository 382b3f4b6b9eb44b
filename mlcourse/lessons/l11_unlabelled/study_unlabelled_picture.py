"""The picture of `mlcourse study unlabelled`."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib

from mlcourse.lessons.l11_unlabelled.study_unlabelled_arms import (BALANCED_AT_TEST, BALANCES, CLUSTER, MASKED, PROTO,
                                                                   SOFT_AT_TEST, TOLD)
from mlcourse.lessons.l11_unlabelled.study_unlabelled_results import apart, largest, mean
from mlcourse.plots.static import Picture, blank, picture
from mlcourse.plots.style import RC, SERIES

SHOWN = (PROTO, SOFT_AT_TEST, CLUSTER, MASKED, BALANCED_AT_TEST, TOLD)


def falls(rows: Sequence[dict]) -> Picture:
    """Accuracy on new scripts over the balance of the pool, without and with distractors, with 95 % t intervals over
    seeds. Raises ValueError where rows are missing."""
    even, uneven = (apart(rows, (BALANCED_AT_TEST, 0, a), (PROTO, 0, a)) for a in ("even", "0.5"))
    title = (f"Balanced assignment: {even.text(1, sign=True)} points against ProtoNet on even pools, "
             f"{uneven.text(1, sign=True)} at concentration 0.5")
    figure, said = blank(10, 3.8), []
    with matplotlib.rc_context(RC):
        figure.suptitle(title, x=0.01, ha="left", fontsize=11)
        for axes, count in zip(figure.subplots(1, 2, sharey=True), (0, 5), strict=True):
            for i, (arm, style) in enumerate(zip(SHOWN, SERIES, strict=False)):
                found = [mean(rows, arm, count, balance) for balance in BALANCES]
                places = [x + 0.06 * (i - 2.5) for x in range(len(BALANCES))]
                axes.errorbar(places, [e.mean for e in found], yerr=[e.half for e in found], **style, capsize=3, ms=5,
                              label=arm)
                said += [f"{arm}, {count} distractor classes: " + ", ".join(
                    f"{e.text(tight=True)} ({balance})" for balance, e in zip(BALANCES, found, strict=True))]
            axes.set_xticks(range(len(BALANCES)), [f"{a}\n{share:.0f} %" for a, share in largest(rows).items()])
            axes.set(title=f"{count} distractor classes in the pool" if count else "Own classes alone in the pool",
                     xlabel="concentration; mean proportion of the commonest of the five")
            axes.grid(True, axis="y")
        figure.axes[0].set_ylabel("5-way 1-shot accuracy (%)")
        figure.axes[0].legend(loc="lower left")
    return picture(figure, f"{title}. {'; '.join(said)}.")
