"""The figures of lesson 01."""

from __future__ import annotations

import matplotlib
import numpy as np

from mlcourse.domains import SHIFTS, Domain, shift
from mlcourse.lessons.l01_domains.scene_shift_dial import over_seeds
from mlcourse.plots.static import Picture, blank, picture
from mlcourse.plots.style import BLACK, BLUE, GREY, RC, SERIES, VERMILION
from mlcourse.rows import estimates, frame
from mlcourse.statistics import columns, paired_difference

STYLES = dict(zip(SHIFTS, (*SERIES, dict(color="#7A4A1E", marker="*", linestyle="-"))))
STEPS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
NEAR, FAR = 0.5, 1.9                      # of PAD
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


def shifted_pictures(domain: Domain, index: int = 0) -> Picture:
    """One picture of a domain under the eight kinds of shift (columns of two tables) at six severities."""
    image = domain.images[index:index + 1]
    figure = blank(8.4, 2.9)
    with matplotlib.rc_context(RC):
        grid = figure.subplots(4, 2 * len(STEPS) + 1)
        for place, kind in enumerate(SHIFTS):
            row, left = place % 4, (place // 4) * (len(STEPS) + 1)
            for column, severity in enumerate(STEPS):
                axes = grid[row, left + column]
                axes.imshow(shift(image, kind, severity)[0, 0].numpy(), cmap="gray_r", vmin=0, vmax=255)
                axes.set(xticks=[], yticks=[])
                axes.spines[:].set_visible(True)
                axes.spines[:].set_color("#B8B8B8")
                if column == 0:
                    axes.set_ylabel(kind, rotation=0, ha="right", va="center", labelpad=6)
                if row == 0:
                    axes.set_title(f"{severity:g}", loc="center", fontsize=8.5)
        for row in range(4):
            grid[row, len(STEPS)].set_visible(False)
    return picture(figure, f"The same picture under {', '.join(SHIFTS)}, each at severity 0 to 1 in steps of 0.2.")


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
        floor = over_seeds(rows, "typeset digits, again", "pad")
        right.set_title(f"The floor, home against home, is {round(floor.mean[0], 2) + 0.0:.2f} ± {floor.half[0]:.2f}")
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


def loss_against_distance(rows: list[dict]) -> Picture:
    """Accuracy lost against PAD, a mark for each kind and severity, with 95 % intervals over seeds; half the PAD as a
    line. rows: those of `mlcourse study shift`."""
    found = losses(rows)
    far = min((each for each in found if each[2] >= FAR), key=lambda each: each[3])
    near = max((each for each in found if each[2] <= NEAR), key=lambda each: each[3])
    title = (f"{far[0].capitalize()} {far[1]:g}: PAD {far[2]:.2f}, loss {100 * far[3]:.1f} points; "
             f"{near[0]} {near[1]:g}: PAD {near[2]:.2f}, loss {100 * near[3]:.1f} points")
    figure = blank(8.4, 4.2)
    with matplotlib.rc_context(RC):
        axes = figure.subplots()
        axes.grid(True)
        axes.plot([0, 2], [0, 100], color=GREY, ls="--", lw=1.2, label="half the PAD")
        for kind in dict.fromkeys(each[0] for each in found):
            own = np.array([each[2:] for each in found if each[0] == kind])
            style = STYLES.get(kind, dict(color=BLACK, marker="h" if kind.startswith("UCI") else "d", linestyle=""))
            axes.errorbar(own[:, 0], 100 * own[:, 1], xerr=own[:, 2], yerr=100 * own[:, 3], **style, lw=0.8,
                          ms=5.5, elinewidth=0.8, label=kind)
        for each, place in ((far, (-175, 62)), (near, (-60, 40))):
            axes.annotate(f"{each[0]} {each[1]:g}", (each[2], 100 * each[3]), place, textcoords="offset points",
                          arrowprops=dict(arrowstyle="-", color=BLACK, lw=0.8), fontsize=9)
        axes.set(xlabel="PAD to home", ylabel="accuracy lost (points)", title=title, xlim=(-0.1, 2.1), ylim=(-6, 104))
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return picture(figure, f"{title}. One mark for each kind and severity; between a PAD of {FAR} and 2 the losses "
                           f"reach from {100 * min(each[3] for each in found if each[2] >= FAR):.1f} to "
                           f"{100 * max(each[3] for each in found if each[2] >= FAR):.1f} points.")


def crossings(rows: list[dict]) -> Picture:
    """Accuracy of every arm of the three crossings, means over seeds with 95 % t intervals.

    rows: those of `mlcourse study crossing`.
    """
    found = estimates(frame(rows), "accuracy", by=["crossing", "arm"])
    by_arm = {arm: found[arm].times(100) for arm in ARMS if arm in found}
    arms = list(by_arm)
    home, away = by_arm["domain", "typeset digits"].mean, by_arm["domain", "UCI digits"].mean
    title = f"The same question of handwritten digits: {home:.1f} % becomes {away:.1f} %"
    figure = blank(8.4, 0.9 + 0.36 * len(arms))
    with matplotlib.rc_context(RC):
        axes = figure.subplots()
        y = np.arange(len(arms))
        mean, half = columns(by_arm.values())
        colours = {"task": BLUE, "domain": VERMILION, "modality": GREY}
        axes.barh(y, mean, height=0.6, color=[colours[crossing] for crossing, _ in arms], alpha=0.75)
        axes.errorbar(mean, y, xerr=half, fmt="none", ecolor=BLACK, elinewidth=1.4, capsize=3)
        for at, value, end in zip(y, by_arm.values(), mean + np.nan_to_num(half)):
            axes.annotate(value.text(), (end, at), (6, 0), textcoords="offset points", va="center", fontsize=9)
        axes.set_yticks(y, [ARMS[arm] for arm in arms])
        axes.set(xlim=(0, 122), ylim=(len(arms) - 0.4, -0.6), title=title, xticks=range(0, 101, 20),
                 xlabel="accuracy (%), 95 % interval over seeds")
    said = "; ".join(f"{ARMS[arm]} {value.text()}" for arm, value in by_arm.items())
    return picture(figure, f"{title}. {said} (%).")
