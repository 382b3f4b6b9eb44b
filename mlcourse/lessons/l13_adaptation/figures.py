"""The figures and tables of lesson 13, and the reading of its studies over seeds."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import numpy as np

from mlcourse.domains import Domain
from mlcourse.plots.static import Picture, blank, picture
from mlcourse.plots.style import BLACK, BLUE, GREEN, GREY, ORANGE, RC, look
from mlcourse.statistics import columns, paired_difference, t_interval

PAIRS = {"glyphs-digits": "from typeset digits", "mnist": "from MNIST"}
TOLD = ("no adaptation", "AdaBN", "CORAL", "DANN", "SHOT")      # without a label
TAUGHT = ("from scratch", "fine-tuning")                        # with five per class
WITHIN, ACROSS = "one domain", "typeset → handwritten"
PANELS = {
    WITHIN: {"no adaptation": look(GREY, "x", ":"), "no adaptation, BBSE": look(GREEN, "d", ":"),
             "no adaptation, true shares": look(BLACK, "o", "--")},
    ACROSS: {"no adaptation": look(GREY, "x", ":"), "AdaBN": look(BLUE, "s", "-"),
             "AdaBN, BBSE": look(GREEN, "D", "-"), "AdaBN, true shares": look(BLACK, "o", "--"),
             "no adaptation, BBSE": look(GREEN, "d", ":"), "CORAL": look(ORANGE, "v", "-.")},
}
TITLES = {WITHIN: "Faint print → faint print: other shares alone", ACROSS: "Typeset → handwritten: other looks, too"}
NAMES = {WITHIN: "faint print", ACROSS: ACROSS}          # of the grounds, in the lesson


def by_seed(rows: Sequence[dict], field: str, **which) -> dict[int, float]:
    """{seed: the field} of the rows whose other fields are as given. Raises ValueError for no row, or for two of a
    seed."""
    mine = [row for row in rows if all(row.get(name) == value for name, value in which.items()) and field in row]
    found = {row["seed"]: row[field] for row in mine}
    if not mine or len(found) < len(mine):
        raise ValueError(f"{'no row' if not mine else 'several rows of one seed'} with {which} and a field {field!r}")
    return found


def crossing(rows: Sequence[dict], arm: str, source: str, k: int = 0, target: str = "digits") -> dict[int, float]:
    """{seed: accuracy} of an arm of study transfer with k labels per class."""
    return by_seed(rows, "accuracy", arm=arm, k=k, source=source, target=target)


def table(rows: Sequence[dict]) -> str:
    """The accuracies of study transfer that the lesson tells of, with k labels per class of the target and intervals
    over seeds."""
    lines = [f"{'%, five seeds':16s}k   " + "".join(f"{name:21s}" for name in PAIRS.values()).rstrip()]
    for arms, k in ((TOLD, 0), (TAUGHT, 5)):
        for arm in arms:
            numbers = [t_interval(crossing(rows, arm, source, k).values()).text() for source in PAIRS]
            lines.append(f"{arm:16s}{k}   " + "".join(f"{text:21s}" for text in numbers).rstrip())
    return "\n".join(lines)


def both_domains(source: Domain, target: Domain, per_class: int = 4, seed: int = 0) -> Picture:
    """Random pictures of every class (columns), of the source above and of the target below."""
    rng = np.random.default_rng(seed)
    n = len(source.classes)
    figure = blank(8.4, 8.4 / (2 * n) * per_class + 0.7)
    with matplotlib.rc_context(RC):
        parts = figure.subfigures(2, 1)
        names = ("source, typeset: clear outlines", "target, handwritten: the same frame, other shapes")
        for part, domain, name in zip(parts, (source, target), names):
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


def at(rows: Sequence[dict], ground: str, arm: str, distance: float, field: str = "accuracy") -> dict[int, float]:
    """{seed: a field} of an arm of study label-shift."""
    return by_seed(rows, field, ground=ground, arm=arm, distance=distance)


def label_shift(rows: Sequence[dict]) -> Picture:
    """Accuracy against the label distance on both grounds of study label-shift, means over seeds with 95 % t intervals,
    drawn side by side where they would cover each other. The title: what BBSE adds at the largest distance, paired, to
    each arm that it stands on."""
    distances = sorted({row["distance"] for row in rows})
    far = distances[-1]
    gain = lambda ground, arm: paired_difference(at(rows, ground, f"{arm}, BBSE", far), at(rows, ground, arm, far))
    within, across, plain = (gain(*which) for which in (
        (WITHIN, "no adaptation"), (ACROSS, "AdaBN"), (ACROSS, "no adaptation")))
    title = (f"BBSE at distance {far:g}: {within.text(sign=True)} points on {NAMES[WITHIN]}; {NAMES[ACROSS]} "
             f"{across.text(sign=True)} to AdaBN, {plain.text(sign=True)} to no adaptation")
    figure, said, ends = blank(9.6, 3.9), [], [20.0, 100.0]
    with matplotlib.rc_context(RC):
        figure.suptitle(title, x=0.01, ha="left", fontsize=10)
        for axes, (ground, arms) in zip(figure.subplots(1, 2), PANELS.items(), strict=True):
            step, there = 0.022, {(row["ground"], row["arm"], row["distance"]) for row in rows}
            for i, (arm, style) in enumerate(arms.items()):
                own = [d for d in distances if (ground, arm, d) in there]
                values = [t_interval(at(rows, ground, arm, d).values()) for d in own]
                mean, half = columns(values)
                ends += [end for value in values for end in (value.low - 2, value.high + 2) if np.isfinite(end)]
                x = [d + (i - (len(arms) - 1) / 2) * step for d in own]
                axes.errorbar(x, mean, yerr=half, **style, ms=5, lw=1.3, elinewidth=1, capsize=2, label=arm
                              + (" (not at 0)" if own[0] > distances[0] else ""))
                said.append(f"{NAMES[ground]}, {arm}: {', '.join(value.text() for value in values)}")
            axes.grid(True, axis="y")
            axes.set(xlabel="label distance (dodged for sight)", xticks=distances)
            axes.set_title(TITLES[ground], fontsize=9.5)
            axes.legend(loc="lower left", fontsize=8, ncols=1 + (len(arms) > 3))
        for axes in figure.axes:
            axes.set_ylim(min(ends), max(ends))
        figure.axes[0].set_ylabel("accuracy on the target (%)")
    return picture(figure, f"{title}. Accuracy at label distances {', '.join(f'{d:g}' for d in distances)}, true "
                           f"shares where they are not uniform: {'; '.join(said)}.")
