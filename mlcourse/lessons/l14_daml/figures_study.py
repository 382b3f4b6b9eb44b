"""Pictures of the DAML study: accuracies without labels, gains over labels per class, and a sheet of generated
samples."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import numpy as np
import torch

from mlcourse.domains import Domain
from mlcourse.lessons.l14_daml.study_daml_arms import ARMS
from mlcourse.plots.seeds import points
from mlcourse.plots.static import Picture, blank, picture
from mlcourse.plots.style import BLACK, RC
from mlcourse.rows import by_seed, estimates, frame
from mlcourse.statistics import Estimate, columns, paired_difference

STYLES = {name: arm.style for name, arm in ARMS.items()}
SHOWN = ("source only", "source + hand-made", "source + generated", "MLDG", "DAML")
GENERATED, HAND_MADE = "source + generated", "source + hand-made"


def gap(rows: Sequence[dict], one: str, other: str, k: int, field: str = "accuracy") -> Estimate:
    """One arm less another at k labels per class, paired by seed."""
    return paired_difference(by_seed(rows, one, k, field), by_seed(rows, other, k, field))


def accuracies(rows: Sequence[dict], arms: Sequence[str], ks: Sequence[int]) -> Picture:
    """Left: accuracy at k labels per class. Right: the arm of generated pictures less the others, with paired
    intervals. The titles say what the numbers say."""
    figure = blank(10.5, 4.4)
    places, shown = np.arange(len(ks)), [arm for arm in SHOWN if arm in arms and by_seed(rows, arm, max(ks))]
    at = estimates(frame(rows), "accuracy", by=["arm", "k"])
    with matplotlib.rc_context(RC):
        left, right = figure.subplots(1, 2, width_ratios=(1.1, 1))
        points(left, frame([row for row in rows if row["arm"] in shown]), "k", "accuracy", "arm", STYLES, ks)
        left.set(xlabel="labels per class of the target, k", ylabel="accuracy on target-test, %")
        left.legend(fontsize=8, loc="lower right")
        left.grid(axis="y")
        others = [arm for arm in shown if arm != GENERATED and GENERATED in shown]
        for i, arm in enumerate(others):
            mean, half = columns(gap(rows, GENERATED, arm, k) for k in ks)
            right.errorbar(places + 0.12 * (i - (len(others) - 1) / 2), mean, half, capsize=2, markersize=5,
                           label=f"less {arm}", **{**STYLES[arm], "linestyle": "none"})
        right.axhline(0, color=BLACK, linewidth=0.8)
        right.set(xticks=places, xticklabels=ks, xlabel="labels per class of the target, k",
                  ylabel=f"{GENERATED}, less the other, points")
        right.grid(axis="y")
        if others:
            right.legend(fontsize=8)
        least = min(ks)
        left.set_title(f"At k = {least}: " + ", ".join(
            f"{arm} {at[arm, least].text()} %" for arm in ("source only", GENERATED) if (arm, least) in at))
        title = verdict(rows, ks) if {GENERATED, HAND_MADE} <= set(shown) else ""
        right.set_title(title)
    return picture(figure, f"{rows[0]['source']} to {rows[0]['target']}: accuracy on the target's test half against "
                           f"labels per class, {len(shown)} arms, {at[shown[0], ks[0]].n} seeds. "
                           f"{left.get_title(loc='left')}. {title}")


def verdict(rows: Sequence[dict], ks: Sequence[int]) -> str:
    """Where generated pictures are ahead of hand-made views by more than the paired interval."""
    gaps = {k: gap(rows, GENERATED, HAND_MADE, k) for k in ks}
    listed = lambda chosen: ", ".join(map(str, chosen))
    ahead, behind = [k for k in ks if gaps[k].low > 0], [k for k in ks if gaps[k].high < 0]
    parts = [f"{which} at k = {listed(some)}" for which, some in (("generated", ahead), ("hand-made", behind)) if some]
    return "Ahead: " + ", ".join(parts) if parts else "Generated and hand-made: told apart at no k"


def samples(bases: Domain, drawn: Domain, target: Domain, per_class: int = 6) -> Picture:
    """A sheet with a row for each class: source pictures, what the generator makes of the same, and target pictures."""
    figure = blank(9.6, 0.5 + 9.6 / (3 * per_class + 1) * len(bases.classes))
    groups = ("source", "the same, redrawn", "target")
    with matplotlib.rc_context(RC):
        axes = figure.subplots(1, 3)
        for ax, name, domain, like in zip(axes, groups, (bases, drawn, target), (bases, bases, target), strict=True):
            rows = []
            for c in range(len(bases.classes)):
                mine = torch.nonzero(like.labels == c)[:per_class, 0]
                shown = domain.images[mine, 0]
                shown = torch.nn.functional.pad(shown, (1, 1, 1, 1))
                rows.append(torch.cat(list(torch.nn.functional.pad(shown, (0,) * 4 + (0, per_class - len(shown)))), 1))
            ax.imshow(255 - torch.cat(rows).numpy(), cmap="gray", vmin=0, vmax=255)
            ax.set_title(name)
            ax.axis("off")
    return picture(figure, f"Random pictures of each of {len(bases.classes)} classes: of the source, the same pictures "
                           "as the generator redraws them, and of the target.")
