"""What the rows of a transfer study say: means with intervals over seeds, paired differences, and a sentence of
advice."""

from __future__ import annotations

from collections.abc import Sequence

from mlcourse.rows import by_seed, estimates, frame
from mlcourse.statistics import Estimate, holm, paired_difference, paired_p_value
from mlcourse.studies.transfer.arms import ARMS
from mlcourse.studies.transfer.transfer import CHOICE

NONE, SCRATCH = "no adaptation", "from scratch"
SIMPLEST = [arm.name for arm in sorted(ARMS, key=lambda arm: arm.order)]


def table(rows: Sequence[dict]) -> dict[str, dict[int, Estimate]]:
    """arm → k → accuracy (%) over seeds, in the order of the rows; an arm that is not defined at some k has no entry
    there."""
    found = {row["arm"]: {} for row in rows if not row["arm"].startswith(CHOICE)}
    for (arm, k), value in estimates(frame(rows), "accuracy", by=["arm", "k"]).items():
        if arm in found:
            found[arm][k] = value
    return found


def pads(rows: Sequence[dict]) -> dict[str, float]:
    """arm → its PAD at k = 0, averaged over the seeds, where it has one."""
    values = {name: by_seed(rows, name, 0, "pad").values() for name in dict.fromkeys(row["arm"] for row in rows)}
    return {name: sum(mine) / len(mine) for name, mine in values.items() if mine}


def gain(rows: Sequence[dict], arm: str, other: str, k: int) -> Estimate | None:
    """arm minus other at k, paired over the seeds that both have, which a study that goes on may not share; None under
    two seeds."""
    a, b = by_seed(rows, arm, k), by_seed(rows, other, k)
    both = sorted(set(a) & set(b))
    return paired_difference([a[seed] for seed in both], [b[seed] for seed in both]) if len(both) > 1 else None


def gains(rows: Sequence[dict], k: int = 0) -> dict[str, tuple[Estimate, float]]:
    """Of every arm that is there at k but `NONE`: its gain over that arm, paired over seeds, and the p-value, adjusted
    by Holm over all these arms; empty under two seeds."""
    there = [arm for arm, by_k in table(rows).items() if k in by_k and arm != NONE]
    found = {arm: more for arm in there if (more := gain(rows, arm, NONE, k)) is not None}
    base = by_seed(rows, NONE, k)
    both = {arm: {seed: v for seed, v in by_seed(rows, arm, k).items() if seed in base} for arm in found}
    p = holm({arm: paired_p_value(mine, {seed: base[seed] for seed in mine}) for arm, mine in both.items()})
    return {arm: (found[arm], p[arm]) for arm in found}


def unbeaten(rows: Sequence[dict], k: int) -> list[str]:
    """The arms that no other arm beats at k by more than the interval of their paired difference, the simplest first.

    Every pair has its own 95 % interval and eighteen arms are 153 pairs, so a verdict is a reading of the table, not a
    proof.
    """
    there = [arm for arm, by_k in table(rows).items() if k in by_k]
    beats = lambda a, b: (more := gain(rows, a, b, k)) is not None and more.low > 0
    simple = sorted(there, key=lambda arm: SIMPLEST.index(arm) if arm in SIMPLEST else len(SIMPLEST))
    return [arm for arm in simple if not any(beats(other, arm) for other in there if other != arm)]


def advice(rows: Sequence[dict]) -> str:
    """A paragraph of advice, computed from the rows of one source and target.

    For each k: the simplest arm that no other beats for certain, and the arm with the highest mean where that is
    another; without labels, also the gain over no adaptation and the arms that hurt; with labels, whether the source
    helped.
    """
    found = table(rows)
    ks = sorted({k for cells in found.values() for k in cells})
    if len({row["seed"] for row in rows if "accuracy" in row}) < 2:
        return "One seed gives no interval, and so no advice; run at least two."
    sentences = [_without_labels(rows, found)] if 0 in ks else ["Without labels nothing is defined or measured."]
    sentences += [_with_labels(rows, found, k) for k in ks if k > 0]
    return " ".join(filter(None, sentences))


def _without_labels(rows: Sequence[dict], found: dict) -> str:
    base = found.get(NONE, {}).get(0)
    if base is None or len([arm for arm in found if 0 in found[arm]]) < 2:
        return ""
    take = unbeaten(rows, 0)[0]
    gains = {arm: gain(rows, arm, NONE, 0) for arm in found if arm != NONE and 0 in found[arm]}
    text = f"Without labels of the target no adaptation reaches {base.mean:.1f} %; "
    if take == NONE:
        text += "no arm beats it by more than the interval, so label some pictures first."
    else:
        text += (f"take {take}: {found[take][0].mean:.1f} %, a gain of {gains[take].text()} points"
                 f"{_higher(rows, found, take, 0)}.")
    hurt = [arm for arm, more in gains.items() if more.high < 0]
    return text + (f" It hurts to use {', '.join(hurt)}." if hurt else "")


def _with_labels(rows: Sequence[dict], found: dict, k: int) -> str:
    take = unbeaten(rows, k)[0]
    text = (f"With {k} label{'s' if k > 1 else ''} per class take {take}: {found[take][k].text()} %"
            f"{_higher(rows, found, take, k)}")
    if SCRATCH in unbeaten(rows, k):
        text += "; no arm that uses the source beats training from scratch for certain"
    elif worth := gain(rows, take, SCRATCH, k):
        text += f"; the source is worth {worth.text()} points against training from scratch"
    return text + "."


def _higher(rows: Sequence[dict], found: dict, take: str, k: int) -> str:
    """A clause on the arm with the highest mean, where that is not the one to take."""
    top = max((arm for arm in found if k in found[arm]), key=lambda arm: found[arm][k].mean)
    if top == take:
        return ""
    more = gain(rows, top, take, k).text()
    return f" ({top} has {found[top][k].mean:.1f} %, but {more} points more may be chance)"
