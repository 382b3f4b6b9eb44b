"""The picture of `mlcourse study context`."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib

from mlcourse.lessons.l17_context.study_context_results import errors, to_ridge
from mlcourse.plots.static import Picture, blank, picture
from mlcourse.plots.style import RC, SERIES

SHOWN = {"checkpoint": "Transformer", "ridge": "ridge with the prior's λ", "one gradient step": "one gradient step",
         "ridge, told the situation": "ridge with the λ that is right here"}
PANELS = {"prior": "In the prior", "w × 3": "Outside: weights three times as large",
          "x × 3": "Outside: inputs three times as large"}
TICKS = (0.3, 1, 3, 10, 30, 100, 300, 1000)


def drawn(rows: Sequence[dict]) -> Picture:
    """The error after each number of pairs, in the prior and outside. Raises ValueError where rows are missing."""
    inside, far = to_ridge(rows, "checkpoint"), to_ridge(rows, "checkpoint", "x × 3")
    title = (f"The Transformer's error is {inside.mean:.2f} of ridge's in the prior, and {far.mean:.1f} of it where "
             "inputs are three times as large")
    figure, said = blank(11, 3.6), []
    with matplotlib.rc_context(RC):
        figure.suptitle(title, x=0.01, ha="left", fontsize=11)
        for axes, (situation, name) in zip(figure.subplots(1, len(PANELS)), PANELS.items(), strict=True):
            for (arm, label), style in zip(SHOWN.items(), SERIES, strict=False):
                if situation == "prior" and arm == "ridge, told the situation":
                    continue                                        # it is ridge
                found = errors(rows, arm, situation)
                axes.plot(range(len(found)), found, **style, ms=4, label=label)
                said.append(f"{label}, {situation}: " + ", ".join(f"{value:.2f}" for value in found))
            axes.set(title=name, xlabel="pairs in the prompt", yscale="log")
            ticks = [tick for tick in TICKS if axes.get_ylim()[0] < tick < axes.get_ylim()[1]]
            axes.set_yticks(ticks, [f"{tick:,g}" for tick in ticks])
            axes.minorticks_off()
            axes.grid(True, axis="y")
        figure.axes[0].set_ylabel("squared error")
        figure.axes[1].legend(loc="lower left")
    return picture(figure, f"{title}. Errors after 0, 1, … pairs: {'; '.join(said)}.")
