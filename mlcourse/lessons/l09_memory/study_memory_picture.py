"""The picture of the study of memories."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import pandas as pd

from mlcourse.plots.seeds import points
from mlcourse.plots.static import Picture, blank, picture
from mlcourse.plots.style import GREY, RC, SERIES

COPIES = {"NTM, 32 rows": ("NTM", "wrong"), "NTM, 128 rows": ("NTM", "wrong_128"), "LSTM": ("LSTM", "wrong")}
BITS = 8


def found(rows: Sequence[dict], bound: float) -> Picture:
    """Left: the share of wrong bits by length. Right: the share of right guesses by presentation, with the best that
    elimination can reach at the first, `bound`. Means over seeds with 95 % t intervals.

    Raises ValueError where a part has no rows.
    """
    wrong = pd.DataFrame([{"seed": row["seed"], "length": int(length), "arm": name,
                           "share": 100 * bits / (BITS * int(length))}
                          for name, (arm, field) in COPIES.items() for row in rows
                          if (row["part"], row["arm"]) == ("copy", arm) for length, bits in row[field].items()])
    right = pd.DataFrame([{"seed": row["seed"], "presentation": i, "arm": row["arm"], "share": 100 * share}
                          for row in rows if row["part"] == "stream" for i, share in enumerate(row["accuracy"], 1)])
    if wrong.empty or right.empty:
        raise ValueError("the picture needs rows of both parts, copies and streams; run the study first")
    figure = blank(10.5, 4.2)
    with matplotlib.rc_context(RC):
        left, other = figure.subplots(1, 2)
        for axes, table, x in ((left, wrong, "length"), (other, right, "presentation")):
            arms = list(dict.fromkeys(table["arm"]))
            axes.grid(True)
            points(axes, table, x, "share", "arm", dict(zip(arms, SERIES)), sorted(set(table[x])), apart=0.15)
            axes.legend(loc="best")
        left.set(xlabel="items to copy (trained on 1 to 10)", ylabel="wrong bits (%)", ylim=(-2, 60),
                 title="Copies longer than the memory need more rows")
        left.axhline(50, color=GREY, ls="--", lw=1.2)
        left.annotate("chance", (0, 50), (0, 3), textcoords="offset points", fontsize=8.5)
        other.set(xlabel="presentation of its class", ylabel="right (%)", ylim=(0, 102),
                  title="From the second presentation on the nearest neighbour leads")
        other.plot([-0.3, 0.3], [100 * bound] * 2, color=GREY, ls="--", lw=1.2)
        other.annotate(f"elimination\n{100 * bound:.1f}", (-0.52, 100 * bound), (0, 12),
                       textcoords="offset points", fontsize=8.5)
    mean = lambda table, x: "; ".join(
        f"{arm} " + ", ".join(f"{share:.1f} at {at}" for at, share in group.groupby(x)["share"].mean().items())
        for arm, group in table.groupby("arm", sort=False))
    return picture(figure, f"Left, wrong bits in per cent by items: {mean(wrong, 'length')}. "
                           f"Right, right guesses in per cent by presentation: {mean(right, 'presentation')}.")
