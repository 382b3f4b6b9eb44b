"""The picture of lesson 02's study: the gap to untrained weights, and what freezing more is worth."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib

from mlcourse.lessons.l02_transfer.gaps import CHOOSING, FINE, gaps_of, measured_ks
from mlcourse.lessons.l02_transfer.sources import SOURCES
from mlcourse.plots.seeds import points
from mlcourse.plots.static import Picture, blank, picture
from mlcourse.plots.style import BLACK, BLUE, GREEN, GREY, ORANGE, RC, VERMILION, look
from mlcourse.rows import frame
from mlcourse.statistics import columns

STYLES = {"typeset": look(BLUE, "o", "-"), "glyphs": look(GREEN, "D", "--"), "inverted": look(ORANGE, "v", "-."),
          "permuted": look(VERMILION, "s", ":")}
LADDER = {FINE: look(VERMILION, "o", "-"), "frozen 1": look(ORANGE, "v", "--"), "frozen 2": look(GREEN, "D", "-."),
          "frozen 3": look(BLUE, "s", ":"), "frozen 4": look(BLACK, "X", "-")}


def study_picture(rows: Sequence[dict]) -> Picture:
    """Left, the negative transfer gap of fine-tuning from every source over k; right, the ladder from typeset."""
    ks = measured_ks(rows)
    found = gaps_of(rows, FINE)
    hurt = [source for source in SOURCES
            if any(found[source, k][0].mean > 0 and found[source, k][1] < 0.05 for k in ks)]
    title = f"After Holm {', '.join(hurt) if hurt else 'no source'} is told to hurt fine-tuning"
    figure = blank(10, 4.2)
    with matplotlib.rc_context(RC):
        figure.suptitle(title, x=0.01, ha="left", fontsize=11)
        left, right = figure.subplots(1, 2)
        left.grid(True)
        left.axhline(0, color=GREY, lw=1.2)
        for i, source in enumerate(SOURCES):
            mean, half = columns(found[source, k][0] for k in ks)
            x = [j + 0.08 * (i - 1.5) for j in range(len(ks))]
            left.errorbar(x, mean, yerr=half, **STYLES[source], ms=5, lw=1.3, elinewidth=1.0, capsize=2, label=source)
        left.set_xticks(range(len(ks)), list(map(str, ks)))
        left.set(xlabel="labels per class", ylabel="error less that from scratch, points (above 0: hurts)")
        left.legend(title="source")
        judged = [row for row in rows if row["seed"] != CHOOSING]
        table = frame([row for row in judged if row["arm"] in LADDER and row["source"] == "typeset"])
        points(right, table, "k", "accuracy", "arm", LADDER, ks, apart=0.3)
        right.grid(True)
        right.set(xlabel="labels per class", ylabel="accuracy from typeset digits, %")
        right.legend(title="layers frozen")
    said = "; ".join(f"{source} " + ", ".join(f"k = {k} {found[source, k][0].text(sign=True)}" for k in ks)
                     for source in SOURCES)
    return picture(figure, f"{title}. Error of fine-tuning less that of training from scratch, in points: {said}.")
