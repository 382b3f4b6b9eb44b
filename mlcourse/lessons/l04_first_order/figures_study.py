"""The picture of `mlcourse study first-order`."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib

from mlcourse.plots.static import Picture, blank, picture
from mlcourse.plots.style import GREY, RC, SERIES
from mlcourse.rows import estimates, frame
from mlcourse.statistics import Estimate, t_interval

WHERE = (("glyphs", "new scripts"), ("digits", "UCI digits"))


def what_it_costs_and_moves(rows: Sequence[dict]) -> Picture:
    """Accuracy of every arm of the part "glyphs" at home and away, and how far MAML's layers move there, with 95 % t
    intervals over seeds.

    Raises ValueError without rows of that part on test data.
    """
    own = [row for row in rows if row["part"] == "glyphs" and row["split"] == "test" and row["moves"] == "own"]
    if not own:
        raise ValueError("the picture needs rows of the part glyphs on test data, got none; measure them first")
    accuracy = estimates(frame(own), "accuracy", ("domain", "arm"))
    arms = list(dict.fromkeys(row["arm"] for row in own))
    layers = list(next(row["moved"] for row in own if row["arm"] == "MAML"))
    home, away = (lead(own, "ANIL", "MAML", domain) for domain, _ in WHERE)
    title = f"ANIL less MAML: {home.text(sign=True)} points on new scripts, {away.text(sign=True)} on digits"
    figure, said = blank(10, 3.6), []
    with matplotlib.rc_context(RC):
        figure.suptitle(title, x=0.01, ha="left", fontsize=11)
        left, right = figure.subplots(1, 2, width_ratios=(1.5, 1))
        left.axvline(20, color=GREY, ls=":", lw=1.3, label="chance")
        for (domain, name), style in zip(WHERE, SERIES):
            values = [accuracy[domain, arm] for arm in arms]
            mark = {"fmt": style["marker"], "color": style["color"], "capsize": 3, "ms": 5, "label": name}
            left.errorbar([v.mean for v in values], range(len(arms)), xerr=[v.half for v in values], **mark)
            said += [f"{arm} {name} {v.text(tight=True)}" for arm, v in zip(arms, values)]
            shares = [share(own, "MAML", domain, layer).times(100) for layer in layers]
            right.errorbar([v.mean for v in shares], range(len(layers)), xerr=[v.half for v in shares], **mark)
            said += [f"MAML moves {layer} on {name} by {v.text(tight=True)} %" for layer, v in zip(layers, shares)]
        left.set_yticks(range(len(arms)), arms)
        left.set(xlabel="5-way 1-shot accuracy (%)", ylim=(len(arms) - 0.5, -0.5))
        right.set_yticks(range(len(layers)), layers)
        right.set(xlabel="how far MAML's inner loop moves a layer (%)", ylim=(len(layers) - 0.5, -0.5), xlim=(0, None))
        for axes in (left, right):
            axes.grid(True, axis="x")
        figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return picture(figure, f"{title}. {'; '.join(said)}.")


def share(rows: Sequence[dict], arm: str, domain: str, layer: str) -> Estimate:
    """|φ - θ| / |θ| of one layer of an arm in a domain, over seeds."""
    return t_interval([row["moved"][layer] for row in rows if (row["arm"], row["domain"]) == (arm, domain)])


def lead(rows: Sequence[dict], arm: str, other: str, domain: str) -> Estimate:
    """The accuracy of one arm less that of another in a domain, in points, paired over seeds."""
    right = {(row["arm"], row["seed"]): row["accuracy"] for row in rows if row["domain"] == domain}
    return t_interval([right[arm, seed] - right[other, seed] for name, seed in right if name == arm])
