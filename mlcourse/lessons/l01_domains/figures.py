"""The figures of lesson 01."""

from __future__ import annotations

import matplotlib
import numpy as np

from mlcourse.datasets import factors
from mlcourse.domains import SHIFTS
from mlcourse.lessons.l01_domains.scene_shift_dial import over_seeds
from mlcourse.plots.static import Picture, blank, picture
from mlcourse.plots.style import BLACK, BLUE, GREEN, GREY, RC, SERIES, VERMILION
from mlcourse.rows import estimates, frame
from mlcourse.statistics import columns, paired_difference

STYLES = dict(zip(SHIFTS, (*SERIES, dict(color="#7A4A1E", marker="*", linestyle="-"))))
FAR = 1.9                                 # of PAD
ARMS = {                                  # (crossing, arm) → what the figure calls it
    ("task", "pixels"): "task: slanted? from pixels",
    ("task", "features of the digit classifier"): "task: slanted? from the digit classifier's features",
    ("task", "features of an untrained network"): "task: slanted? from untrained features",
    ("domain", "typeset digits"): "domain: typeset digits (home)",
    ("domain", "UCI digits"): "domain: handwritten digits (UCI)",
    ("modality", "taught by true labels"): "modality: sweeps, taught by true labels",
    ("modality", "taught by the picture classifier"): "modality: sweeps, taught by the classifier",
    ("modality", "UCI digits, taught by true labels"): "both: UCI sweeps, taught by true labels",
    ("modality", "UCI digits, taught by the picture classifier"): "both: UCI sweeps, taught by the classifier",
}
CROSSED = (("task", "features of the digit classifier"), ("domain", "UCI digits"),
           ("modality", "taught by the picture classifier"))       # what the classifier of digits carries across


def dial_curves(rows: list[dict]) -> Picture:
    """Accuracy and PAD against severity for the eight kinds of shift, means over seeds with their 95 % intervals.

    rows: those of `mlcourse study shift`. Raises ValueError where a kind has no row.
    """
    accuracy = {kind: over_seeds(rows, kind, "accuracy") for kind in SHIFTS}
    pad = {kind: over_seeds(rows, kind, "pad") for kind in SHIFTS}
    worst = min(SHIFTS, key=lambda kind: accuracy[kind].mean[-1])
    mildest = max(SHIFTS, key=lambda kind: accuracy[kind].mean[-1])
    title = (f"At severity 1 {mildest} leaves {100 * accuracy[mildest].mean[-1]:.0f} % and {worst} "
             f"{100 * accuracy[worst].mean[-1]:.0f} %")
    figure = blank(9, 3.7)
    with matplotlib.rc_context(RC):
        left, right = figure.subplots(1, 2)
        for axes, curves, scale, label in ((left, accuracy, 100, "accuracy of the fixed classifier (%)"),
                                           (right, pad, 1, "PAD to home")):
            axes.grid(True)
            for kind, curve in curves.items():
                axes.errorbar(curve.severity, scale * curve.mean, yerr=scale * curve.half, **STYLES[kind], ms=4.5,
                              lw=1.3, elinewidth=0.9, capsize=2, label=kind)
            axes.set(xlabel="severity", ylabel=label, ylim=(-2, 104) if scale == 100 else (-0.15, 2.15))
        left.set_title(title)
        ends = [pad[kind].mean[-1] for kind in SHIFTS]
        right.set_title(f"At severity 1 every kind has a PAD of {min(ends):.2f} to {max(ends):.2f}")
        right.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    said = "; ".join(f"{kind} {100 * accuracy[kind].mean[-1]:.1f} % at PAD {pad[kind].mean[-1]:.2f}" for kind in SHIFTS)
    return picture(figure, f"{title}. At severity 1: {said}.")


def losses(rows: list[dict]) -> list[tuple[str, float, float, float, float, float]]:
    """(kind, severity, PAD, accuracy lost, and the half-widths of both over seeds) for every shift above severity 0,
    and for the other worlds at 1. The loss is paired: each seed's accuracy at home minus its own under the shift.

    rows: those of `mlcourse study shift`. Raises ValueError where a kind has no row.
    """
    home = {row["seed"]: row["accuracy"][0] for row in rows if row["kind"] == SHIFTS[0]}
    found = []
    for kind in (*SHIFTS, *sorted({row["kind"] for row in rows} - set(SHIFTS))):
        own = [row for row in rows if row["kind"] == kind and row["seed"] in home]
        if "best" in own[0] or own[0]["severity"][-1] == 0:
            continue
        pad = over_seeds(rows, kind, "pad")
        for at, severity in enumerate(own[0]["severity"]):
            if severity > 0:
                shifted = {row["seed"]: row["accuracy"][at] for row in own}
                lost, half = paired_difference({seed: home[seed] for seed in shifted}, shifted)
                found.append((kind, severity, pad.mean[at], lost, pad.half[at], half))
    return found


def by_seed(rows: list[dict], kind: str, field: str) -> np.ndarray:
    """A field of one kind at its last severity, a value for each seed in order. Raises ValueError for another kind.

    rows: those of `mlcourse study shift`.
    """
    own = sorted((row for row in rows if row["kind"] == kind), key=lambda row: row["seed"])
    if not own:
        raise ValueError(f"there is no row of {kind!r} among these; the kinds are "
                         f"{'; '.join(sorted({row['kind'] for row in rows}))}")
    return np.array([row[field][-1] for row in own])


SHOWN = {                   # what the figure names: a kind of the dial, or another world and where its name stands
    "texture": dict(color=GREEN, marker="s"), "inversion": dict(color=VERMILION, marker="^"),
}
NAMES = {"not in the frame": (-36, 11), "8×8 and back": (-78, 28), "UCI digits": (-66, 4)}


def loss_against_distance(rows: list[dict]) -> Picture:
    """Accuracy lost against PAD, a mark for each kind of the dial and severity and for the worlds of NAMES, with 95 %
    intervals over seeds; half the PAD as a line. rows: those of `mlcourse study shift`."""
    found = [each for each in losses(rows) if each[0] in {*SHIFTS, *NAMES}]
    lost = [each[3] for each in found if each[2] >= FAR]
    title = f"Between a PAD of {FAR} and 2 the losses reach from {100 * min(lost):.1f} to {100 * max(lost):.1f} points"
    figure = blank(8.4, 4.2)
    with matplotlib.rc_context(RC):
        axes = figure.subplots()
        axes.grid(True)
        axes.plot([0, 2], [0, 100], color=GREY, ls="--", lw=1.2, label="half the PAD, as points")
        for kinds, style, label in (
            (set(SHIFTS) - set(SHOWN), dict(color=GREY, marker="o", ms=4), "the dial's other kinds"),
            *(([kind], {**style, "ms": 6.5, "zorder": 4}, f"{kind}, 0.1 to 1") for kind, style in SHOWN.items()),
            (NAMES, dict(color=BLACK, marker="D", ms=6, zorder=5), "other pictures"),
        ):
            own = np.array([each[2:] for each in found if each[0] in kinds])
            if len(own):
                axes.errorbar(own[:, 0], 100 * own[:, 1], xerr=own[:, 2], yerr=100 * own[:, 3], **style, ls="",
                              elinewidth=0.8, label=label)
        for kind, _, pad, points, *_ in found:
            if kind in NAMES:
                axes.annotate(kind, (pad, 100 * points), NAMES[kind], textcoords="offset points", fontsize=9,
                              arrowprops=dict(arrowstyle="-", color=BLACK, lw=0.7, shrinkA=1, shrinkB=4))
        axes.set(xlabel="PAD to home, of pixels (bars: 95 % intervals over seeds)",
                 ylabel="accuracy lost (points)", title=title, xlim=(-0.1, 2.1),
                 ylim=(-6, 112))
        axes.legend(loc="upper left")
    said = "; ".join(f"{kind}{f' {severity:g}' * (kind not in NAMES)}: PAD {pad:.2f}, {100 * points:.1f} points lost"
                     for kind, severity, pad, points, *_ in found if kind in NAMES or (kind, severity) in MARKED)
    return picture(figure, f"{title}. {said}.")


MARKED = (("texture", 0.2), ("inversion", 0.3))
WORLDS = {"home": (factors.LEFT, 0.0), **{kind: (kind, 1.0) for kind in factors.KINDS}}      # name → kind, severity


def worlds(rows: list[dict]) -> Picture:
    """Home and four shifted worlds of two dimensions, each with the best boundary there, the line of the study's first
    seed, fitted at home, and how often the lines of all its seeds are right. rows: those of `mlcourse study shift`."""
    line = factors.fit_line(*factors.draw(factors.LEFT, 0, 2000, seed=0))
    ends = np.array([-9.0, 9.0])
    height = -(float(line.bias) + float(line.weight[0]) * ends) / float(line.weight[1])
    right = {name: 100 * over_seeds(rows, kind, "accuracy").mean[-1 if severity else 0]
             for name, (kind, severity) in WORLDS.items()}
    title = f"In the concept shift no point moves, and the lines are right on {right[factors.CONCEPT]:.1f} %"
    figure = blank(10, 4.4)
    with matplotlib.rc_context(RC):
        *panels, last = figure.subplots(2, 3, sharex=True, sharey=True).flat
        for axes, (name, world) in zip(panels, WORLDS.items()):
            x, y = factors.draw(*world, 300, seed=3)
            for label, colour, marker in ((0, BLUE, "o"), (1, VERMILION, "^")):
                axes.plot(*x[y == label].T.numpy(), color=colour, marker=marker, ls="", ms=4, mew=0, alpha=0.6,
                          label=f"y = {label}")
            axes.plot(*factors.edge(*world).T.numpy(), color=GREEN, ls="--", lw=2, label="best boundary here")
            axes.plot(ends, height, color=BLACK, lw=2, label="one of the five lines, fitted at home")
            axes.set_title(f"{name}: right on {right[name]:.1f} %", fontsize=9.5)
            axes.set(xlim=(-5.6, 5.6), ylim=(-3, 3), xlabel="x₁", ylabel="x₂")
            axes.grid(True)
            axes.tick_params(labelbottom=True)
        last.set_axis_off()
        last.legend(*axes.get_legend_handles_labels(), loc="center")
        figure.suptitle(title, fontsize=10.5)
    said = "; ".join(f"{name} {value:.1f} %" for name, value in right.items())
    return picture(figure, f"{title}. Right on: {said}.")


def crossings(rows: list[dict]) -> Picture:
    """Accuracy of every arm of the three crossings, means over seeds with 95 % t intervals.

    rows: those of `mlcourse study crossing`.
    """
    found = estimates(frame(rows), "accuracy", by=["crossing", "arm"])
    by_arm = {arm: found[arm].times(100) for arm in ARMS if arm in found}
    arms = list(by_arm)
    task, domain, modality = (by_arm[arm].mean for arm in CROSSED)
    title = f"Across task {task:.1f} %, across domain {domain:.1f} %, across modality {modality:.1f} %"
    figure = blank(8.4, 0.9 + 0.36 * len(arms))
    with matplotlib.rc_context(RC):
        axes = figure.subplots()
        y = np.arange(len(arms))
        mean, half = columns(by_arm.values())
        axes.barh(y, mean, height=0.6, color=BLUE, alpha=0.75)
        axes.errorbar(mean, y, xerr=half, fmt="none", ecolor=BLACK, elinewidth=1.4, capsize=3)
        for at, value, end in zip(y, by_arm.values(), mean + np.nan_to_num(half)):
            axes.annotate(value.text(), (end, at), (6, 0), textcoords="offset points", va="center", fontsize=9)
        axes.set_yticks(y, [ARMS[arm] for arm in arms])
        axes.set(xlim=(0, 122), ylim=(len(arms) - 0.4, -0.6), title=title, xticks=range(0, 101, 20),
                 xlabel="accuracy (%), 95 % interval over seeds")
    said = "; ".join(f"{ARMS[arm]} {value.text()}" for arm, value in by_arm.items())
    return picture(figure, f"{title}. {said} (%).")
