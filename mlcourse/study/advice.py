"""What the rows of a transfer study say: means with intervals over seeds, paired differences, and a sentence of advice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mlcourse.evaluate import t_interval
from mlcourse.study.transfer import CHOICE

NONE = "no adaptation"


class Cell(NamedTuple):
    """An arm at k labels per class: the mean accuracy (%) and its 95 % half-width over seeds (nan for one seed)."""

    mean: float
    half: float
    seeds: int


def by_seed(rows: Sequence[dict], arm: str, k: int, what: str = "accuracy") -> dict[int, float]:
    """A value of an arm at k, by seed; empty where it was not measured or is not defined."""
    return {row["seed"]: row[what] for row in rows if row["arm"] == arm and row["k"] == k and what in row}


def cell(values: Sequence[float]) -> Cell:
    """Mean and t interval of one value a seed."""
    if len(values) < 2:
        return Cell(values[0], float("nan"), 1)
    return Cell(*t_interval(list(values)), len(values))


def table(rows: Sequence[dict]) -> dict[str, dict[int, Cell]]:
    """arm → k → Cell, in the order of the rows; an arm that is not defined at some k has no entry there."""
    arms = list(dict.fromkeys(row["arm"] for row in rows if not row["arm"].startswith(CHOICE)))
    ks = sorted({row["k"] for row in rows if "accuracy" in row})
    found = {arm: {k: by_seed(rows, arm, k) for k in ks} for arm in arms}
    return {arm: {k: cell(list(values.values())) for k, values in cells.items() if values}
            for arm, cells in found.items()}


def paired(rows: Sequence[dict], arm: str, other: str, k: int) -> tuple[float, float] | None:
    """The mean of arm minus other at k over the seeds that both have, and its 95 % half-width; None under two seeds."""
    a, b = by_seed(rows, arm, k), by_seed(rows, other, k)
    both = sorted(set(a) & set(b))
    return t_interval([a[seed] - b[seed] for seed in both]) if len(both) > 1 else None


def best(rows: Sequence[dict], k: int) -> str | None:
    """The arm with the highest mean accuracy at k."""
    cells = {arm: by_k[k].mean for arm, by_k in table(rows).items() if k in by_k}
    return max(cells, key=cells.get) if cells else None


def advice(rows: Sequence[dict]) -> str:
    """One paragraph of advice, computed from the rows of one source and target.

    At k = 0: the arm to take, if it beats no adaptation by more than the interval of their paired difference, and the
    arms that hurt. At each k > 0: the best arm and how it compares with plain fine-tuning, or with the best from no label.
    """
    found = table(rows)
    ks = sorted({k for cells in found.values() for k in cells})
    seeds = len({row["seed"] for row in rows if "accuracy" in row})
    if seeds < 2:
        return "One seed gives no interval, and so no advice; run at least two."
    sentences = [_without_labels(rows, found)] if 0 in ks else ["Without labels nothing is defined: no class is shared."]
    sentences += [_with_labels(rows, found, k) for k in ks if k > 0]
    return " ".join(filter(None, sentences))


def _without_labels(rows: Sequence[dict], found: dict) -> str:
    top = best(rows, 0)
    base = found.get(NONE, {}).get(0)
    if base is None or len([arm for arm in found if 0 in found[arm]]) < 2:
        return ""
    gains = {arm: paired(rows, arm, NONE, 0) for arm in found if arm != NONE and 0 in found[arm]}
    hurt = [arm for arm, (gain, half) in gains.items() if gain + half < 0]
    text = f"Without labels of the target no adaptation reaches {base.mean:.1f} %; "
    if top != NONE and gains[top][0] > gains[top][1]:
        gain, half = gains[top]
        text += f"take {top}: {found[top][0].mean:.1f} %, a gain of {gain:.1f} ± {half:.1f} points."
        dull = gains.get("AdaBN")
        if top != "AdaBN" and dull and (more := paired(rows, top, "AdaBN", 0)):
            text += (f" Against AdaBN, which needs no training, it gains {more[0]:.1f} ± {more[1]:.1f}"
                     + (", which may be chance." if more[0] <= more[1] else "."))
    else:
        text += "no arm beats it by more than the interval, so label some pictures first."
    return text + (f" It hurts to use {', '.join(hurt)}." if hurt else "")


def _with_labels(rows: Sequence[dict], found: dict, k: int) -> str:
    top = best(rows, k)
    reached = found[top][k]
    text = f"With {k} label{'s' if k > 1 else ''} per class take {top}: {reached.mean:.1f} ± {reached.half:.1f} %"
    if top != "fine-tuning" and (gain := paired(rows, top, "fine-tuning", k)):
        text += f", {gain[0]:.1f} ± {gain[1]:.1f} points above plain fine-tuning"
        text += " (which may be chance)" if gain[0] <= gain[1] else ""
    if top != "from scratch" and (gain := paired(rows, "from scratch", top, k)) and gain[0] + gain[1] >= 0:
        text += "; training from scratch may be as good, so the source is worth little here"
    elif top == "from scratch":
        text += ": carry nothing over"
    return text + "."
