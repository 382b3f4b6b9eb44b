"""The figures of lesson 13, and the reading of its studies over seeds."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import numpy as np

from mlcourse.domains import Domain
from mlcourse.plots.static import Picture, blank, picture
from mlcourse.plots.style import BLACK, GREY, RC, SERIES
from mlcourse.rows import estimates, frame
from mlcourse.statistics import Estimate, columns, paired_difference, t_interval

UNLABELLED = ("no adaptation", "AdaBN", "CORAL", "DANN", "MLDG", "adapter")     # arms that need no label of the target
SHOWN = ("from scratch", "fine-tuning", "AdaBN", "CORAL", "DANN")
STYLES = dict(zip(("AdaBN", "DANN", "CORAL", "MLDG", "adapter", "fine-tuning", "from scratch"), SERIES))
STYLES["no adaptation"] = dict(color=GREY, marker="h", linestyle=":")


def by_seed(rows: Sequence[dict], field: str, **which) -> dict[int, float]:
    """{seed: the field} of the rows whose other fields are as given. Raises ValueError for no row, or for two of a
    seed."""
    mine = [row for row in rows if all(row.get(name) == value for name, value in which.items()) and field in row]
    found = {row["seed"]: row[field] for row in mine}
    if not mine or len(found) < len(mine):
        raise ValueError(f"{'no row' if not mine else 'several rows of one seed'} with {which} and a field {field!r}")
    return found


def chosen(rows: Sequence[dict], arm: str, distance: float) -> dict[int, dict]:
    """{seed: the row of an arm of the label-shift study with the most informative predictions over its weights}."""
    best: dict[int, dict] = {}
    for row in rows:
        if row["arm"] == arm and row["distance"] == distance:
            if row["seed"] not in best or row["information"] > best[row["seed"]]["information"]:
                best[row["seed"]] = row
    if not best:
        raise ValueError(f"no row of {arm!r} at label distance {distance}; run mlcourse study label-shift")
    return best


def of_arm(rows: Sequence[dict], arm: str, distance: float, field: str = "accuracy") -> dict[int, float]:
    """{seed: a field} of an arm of the label-shift study; CORAL and DANN at the weight of `chosen`."""
    return {seed: row[field] for seed, row in chosen(rows, arm, distance).items()}


def both_domains(source: Domain, target: Domain, per_class: int = 4, seed: int = 0) -> Picture:
    """Random pictures of every class (columns), of the source above and of the target below."""
    rng = np.random.default_rng(seed)
    n = len(source.classes)
    figure = blank(8.4, 8.4 / (2 * n) * per_class + 0.7)
    with matplotlib.rc_context(RC):
        parts = figure.subfigures(2, 1)
        for part, domain, name in zip(parts, (source, target), ("source: typeset", "target: handwritten")):
            part.suptitle(name, x=0.01, ha="left", fontsize=10)
            grid = part.subplots(per_class // 2, 2 * n, squeeze=False)
            for c in range(n):
                mine = rng.choice(np.flatnonzero((domain.labels == c).numpy()), per_class, replace=False)
                for i, row in enumerate(mine):
                    axes = grid[i // 2, 2 * c + i % 2]
                    axes.imshow(255 - domain.images[row, 0].numpy(), cmap="gray", vmin=0, vmax=255)
                    axes.set(xticks=[], yticks=[])
                    axes.spines[:].set_visible(False)
    return picture(figure, f"{per_class} pictures of each class of {source.name} above, and of {target.name} below.")


def _errorbars(axes, x, values: Sequence[Estimate], name: str) -> None:
    mean, half = columns(values)
    axes.errorbar(x, mean, yerr=half, **STYLES[name], ms=5, lw=1.4, elinewidth=1, capsize=2.5, label=name)


def transfer(rows: Sequence[dict]) -> Picture:
    """Accuracy without labels by arm, and against labels per class; means over seeds with 95 % t intervals.

    rows: those of `mlcourse study transfer` for one pair of source and target.
    """
    at = estimates(frame(rows), "accuracy", by=["arm", "k"])
    ks = sorted({row["k"] for row in rows})
    zero = {arm: at[arm, 0] for arm in UNLABELLED}
    best = max(zero, key=lambda arm: zero[arm].mean)
    level = [arm for arm in UNLABELLED if round(zero[arm].mean) == round(zero[best].mean)]
    title = (f"Without labels: {zero['no adaptation'].mean:.0f} % becomes {zero['AdaBN'].mean:.0f} % (AdaBN), "
             f"{zero[best].mean:.0f} % ({', '.join(level)})")
    few = min(k for k in ks if k > 0)
    scratch, tuned = at["from scratch", max(ks)].mean, at["fine-tuning", max(ks)].mean
    figure = blank(9.4, 3.7)
    with matplotlib.rc_context(RC):
        left, right = figure.subplots(1, 2)
        mean, half = columns(zero.values())
        colours = [STYLES[arm]["color"] for arm in UNLABELLED]
        left.barh(range(len(UNLABELLED)), mean, height=0.6, color=colours, alpha=0.75)
        left.errorbar(mean, range(len(UNLABELLED)), xerr=half, fmt="none", ecolor=BLACK, elinewidth=1.3, capsize=3)
        for y, (value, end) in enumerate(zip(zero.values(), mean + np.nan_to_num(half))):
            left.annotate(value.text(0), (end, y), (5, 0), textcoords="offset points", va="center", fontsize=9)
        left.set_yticks(range(len(UNLABELLED)), UNLABELLED)
        left.axvline(10, color=BLACK, ls=(0, (4, 2)), lw=1)
        left.set(xlim=(0, 100), ylim=(len(UNLABELLED) - 0.4, -0.6),
                 xlabel="accuracy (%) with no label; dashed: guessing")
        left.set_title(title, fontsize=9.5, loc="left")
        right.grid(True)
        for arm in SHOWN:
            own = [k for k in ks if (arm, k) in at]
            _errorbars(right, [ks.index(k) for k in own], [at[arm, k] for k in own], arm)
        right.set_xticks(range(len(ks)), ks)
        right.set(xlabel="labels per class of the target", ylabel="accuracy (%)", ylim=(0, 100))
        right.set_title(f"{max(ks)} labels per class: from scratch {scratch:.0f} %, fine-tuned {tuned:.0f} %",
                        fontsize=9.5)
        right.legend(loc="lower right", ncols=2, fontsize=8)
    said = "; ".join(f"{arm} {value.text()}" for arm, value in zero.items())
    more = "; ".join(f"{arm} {at[arm, few].mean:.1f} and {at[arm, max(ks)].mean:.1f}" for arm in SHOWN)
    return picture(figure, f"{title}. Without labels: {said} %. With {few} and {max(ks)} labels per class: {more} %.")


def label_shift(rows: Sequence[dict]) -> Picture:
    """Accuracy against the label distance, with the ceiling of perfectly aligned features; and each method's paired
    difference from AdaBN. Means over seeds with 95 % t intervals. rows: those of `mlcourse study label-shift`."""
    distances = sorted({row["distance"] for row in rows})
    arms = [arm for arm in UNLABELLED if any(row["arm"] == arm for row in rows)]
    far = distances[-1]
    gaps = {arm: [paired_difference(of_arm(rows, arm, d), of_arm(rows, "AdaBN", d)) for d in distances] for arm in arms}
    said = [f"{arm} {gaps[arm][0].mean:+.0f} → {gaps[arm][-1].mean:+.0f}" for arm in ("CORAL", "DANN")]
    adabn = t_interval(of_arm(rows, "AdaBN", far).values()).mean
    title = f"Points over AdaBN, label distance {distances[0]:g} → {far:g}: {', '.join(said)}"
    figure = blank(9.4, 3.6)
    with matplotlib.rc_context(RC):
        left, right = figure.subplots(1, 2)
        left.plot(distances, [100 * (1 - d) for d in distances], color=BLACK, ls=(0, (4, 2)), lw=1.2,
                  label="ceiling: aligned, no source error")
        for arm in arms:
            _errorbars(left, distances, [t_interval(of_arm(rows, arm, d).values()) for d in distances], arm)
            if arm not in ("AdaBN", "no adaptation"):
                _errorbars(right, distances, gaps[arm], arm)
        right.axhline(0, color=STYLES["AdaBN"]["color"], lw=1.2)
        for axes in (left, right):
            axes.grid(True)
            axes.set(xlabel="label distance (total variation from the source's proportions)", xticks=distances)
        left.set(ylabel="accuracy on the target (%)", ylim=(0, 103))
        left.set_title(f"At {far:g} the ceiling is {100 * (1 - far):.0f} %, AdaBN's mean {adabn:.0f} %", fontsize=9.5)
        right.set(ylabel="points over AdaBN, paired")
        right.set_title(f"Over AdaBN, from {distances[0]:g} to {far:g}: {', '.join(said)}", fontsize=9.5)
        left.legend(fontsize=7.5, ncols=2, loc="lower left")
    listed = {arm: ", ".join(gap.text(sign=True) for gap in gaps[arm]) for arm in arms if arm != "AdaBN"}
    values = "; ".join(f"{arm} {text}" for arm, text in listed.items())
    return picture(figure, f"{title}. Paired differences from AdaBN at label distances "
                           f"{', '.join(map(str, distances))}: {values} points.")


def choosing(rows: Sequence[dict]) -> Picture:
    """Accuracy against the information of the predictions, one mark for each seed, arm and weight of CORAL and DANN, at
    the smallest and the largest label distance. rows: those of `mlcourse study label-shift`."""
    distances = sorted({row["distance"] for row in rows})
    figure = blank(9.0, 3.5)
    said = []
    with matplotlib.rc_context(RC):
        panels = figure.subplots(1, 2, sharey=True)
        for axes, d in zip(panels, (distances[0], distances[-1])):
            axes.grid(True)
            agreement = rank_agreement(rows, d).text(2, sign=True)
            for arm in ("CORAL", "DANN"):
                mine = [row for row in rows if row["arm"] == arm and row["distance"] == d]
                axes.plot([row["information"] for row in mine], [row["accuracy"] for row in mine], ls="",
                          marker=STYLES[arm]["marker"], color=STYLES[arm]["color"], ms=5, label=arm)
            axes.set(xlabel="information of unlabelled predictions (nats)", ylim=(0, 80))
            axes.set_title(f"Label distance {d:g}: rank correlation {agreement}")
            said.append(f"at label distance {d:g} {agreement}")
        panels[0].set_ylabel("accuracy on the target (%)")
        panels[0].legend(loc="upper left")
    return picture(figure, "Accuracy against the information of the predictions, over the weights of CORAL and DANN. "
                           f"Mean rank correlation within a seed: {'; '.join(said)}.")


def rank_agreement(rows: Sequence[dict], distance: float) -> Estimate:
    """Spearman's rank correlation of information and accuracy over all weights of CORAL and DANN, within each seed: its
    mean over seeds."""
    ranks = lambda values: np.argsort(np.argsort(values))
    found = []
    for seed in sorted({row["seed"] for row in rows}):
        mine = [row for row in rows if row["seed"] == seed and row["distance"] == distance and row["weight"] > 0]
        pair = (ranks([row[field] for row in mine]) for field in ("information", "accuracy"))
        found.append(float(np.corrcoef(*pair)[0, 1]))
    return t_interval(found)
