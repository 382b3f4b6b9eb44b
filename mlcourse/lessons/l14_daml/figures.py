"""The figures of lesson 14."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import numpy as np

from mlcourse.plots.static import Picture, blank, picture
from mlcourse.plots.style import BLACK, BLUE, GREY, ORANGE, RC
from mlcourse.statistics import paired_difference

SHOWN = (("fidelity", "label fidelity, %"), ("f_on_target", "f on the target, %"), ("pad_logistic", "PAD, logistic"),
         ("diversity", "diversity"), ("frequent", "taken for 0, 1 or 2, %"))


def by_variant(rows: Sequence[dict], variant: str, field: str) -> np.ndarray:
    """The values of one variant of the failure study, by seed. Raises ValueError for no row."""
    found = [row[field] for row in sorted(rows, key=lambda row: row["seed"]) if row["variant"] == variant]
    if not found:
        raise ValueError(f"no row of {variant!r}; run mlcourse study daml-failures")
    return np.array(found)


def failures(rows: Sequence[dict]) -> Picture:
    """What each change of phase 1 does to five marks of the generator; dots are seeds, bars their means.

    The title's difference is paired over seeds."""
    variants = list(dict.fromkeys(row["variant"] for row in rows))
    variants.sort(key=lambda name: name != "as it is")
    figure = blank(11, 3.4)
    with matplotlib.rc_context(RC):
        for ax, (field, label) in zip(figure.subplots(1, len(SHOWN), sharey=True), SHOWN, strict=True):
            for i, name in enumerate(variants):
                values = by_variant(rows, name, field)
                bar = ax.barh(i, values.mean(), height=0.6, color=GREY if i == 0 else BLUE, alpha=0.55)
                dots, = ax.plot(values, [i] * len(values), ls="", marker="o", ms=4, color=BLACK)
            line = ax.axvline(by_variant(rows, "as it is", field).mean(), color=ORANGE, lw=1.2, ls="--")
            ax.set(xlabel=label, yticks=range(len(variants)), ylim=(len(variants) - 0.4, -0.6))
            ax.set_yticklabels(variants)
        worst = min(variants[1:], key=lambda name: by_variant(rows, name, "fidelity").mean())
        lost = paired_difference(*(by_variant(rows, name, "fidelity") for name in (worst, "as it is")))
        title = (f"Label fidelity suffers most with {worst!r}: {lost.text(sign=True)} points, paired over {lost.n} "
                 "seeds")
        figure.suptitle(title, fontsize=10.5, x=0.01, ha="left")
        figure.legend(handles=[bar, dots, line], labels=["mean", "a seed", "mean, as it is"], loc="upper right",
                      ncols=3, fontsize=9, frameon=False, borderaxespad=0)
    return picture(figure, f"Five marks of a generator under {len(variants)} ways of training it. {title}.")
