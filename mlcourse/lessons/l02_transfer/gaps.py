"""What the rows of `mlcourse study freeze` say: accuracies by seed, gaps to untrained weights, where curves cross."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mlcourse.lessons.l02_transfer.sources import NONE, SOURCES
from mlcourse.lessons.l02_transfer.study_freeze_arms import LONG
from mlcourse.statistics import Estimate, holm, paired_difference, paired_p_value, t_interval

CHOOSING = 1000         # the seed of the rows that choose
FINE, JOINT = "fine-tuned", "joint"
Curve = tuple[str, str]         # a source and an arm


def at(rows: Sequence[dict], curve: Curve, k: int) -> dict[int, float]:
    """{seed: accuracy (%)} of a source and an arm at k labels per class. Raises ValueError where there is no row."""
    found = {row["seed"]: row["accuracy"] for row in rows
             if (row["source"], row["arm"]) == curve and row["k"] == k and row["seed"] != CHOOSING}
    if not found:
        measured = sorted({(row["source"], row["k"]) for row in rows if row["arm"] == curve[1]})
        raise ValueError(f"there is no row of {curve[1]!r} from {curve[0]!r} at k = {k}; the study has this arm from "
                         + (", ".join(f"{source} at {k}" for source, k in measured) or "no source"))
    return found


def difference(rows: Sequence[dict], one: Curve, other: Curve, k: int) -> Estimate:
    """Accuracy of one less that of the other in points, paired over seeds."""
    return paired_difference(at(rows, one, k), at(rows, other, k))


def gap(rows: Sequence[dict], source: str, arm: str, k: int) -> Estimate:
    """The negative transfer gap in points, err(A(S, T)) - err(A(∅, T)), paired over seeds: above 0 the source hurts."""
    return difference(rows, without(arm), (source, arm), k)


def without(arm: str) -> Curve:
    """The arm without a source: from untrained weights. Joint training is then fine-tuning of them, from scratch."""
    return NONE, FINE if arm == JOINT else arm


def gaps(rows: Sequence[dict], arm: str = FINE, ks: Sequence[int] | None = None
         ) -> dict[tuple[str, int], tuple[Estimate, float]]:
    """Of every source and k: its gap and the p-value of no gap, adjusted by Holm over all of them."""
    found = {(source, k): gap(rows, source, arm, k) for source in SOURCES for k in ks or measured_ks(rows, arm)}
    p = holm({(source, k): paired_p_value(at(rows, without(arm), k), at(rows, (source, arm), k))
              for source, k in found})
    return {key: (found[key], p[key]) for key in found}


def measured_ks(rows: Sequence[dict], arm: str = FINE) -> list[int]:
    """The labels per class of an arm's rows."""
    return sorted({row["k"] for row in rows if row["arm"] == arm and row["seed"] != CHOOSING})


def fine_tuning(rows: Sequence[dict], k: int) -> str:
    """The arm that fine-tunes at k labels of each class: from MANY on the one of more steps, where it was measured."""
    return LONG if k in measured_ks(rows, LONG) else FINE


def gaps_of(rows: Sequence[dict], arm: str) -> dict[tuple[str, int], tuple[Estimate, float]]:
    """`gaps`, where "fine-tuned" is what `fine_tuning` names at each k: 24 tests there, too."""
    if arm != FINE:
        return gaps(rows, arm)
    arms = {k: fine_tuning(rows, k) for k in measured_ks(rows)}
    found = {(source, k): gap(rows, source, each, k) for source in SOURCES for k, each in arms.items()}
    p = holm({(source, k): paired_p_value(at(rows, (NONE, arms[k]), k), at(rows, (source, arms[k]), k))
              for source, k in found})
    return {key: (found[key], p[key]) for key in found}


class Crossover(NamedTuple):
    """Where one curve leaves the lead to another. ahead: the largest k up to which it leads for certain at every k
    measured; behind: the smallest from which on the other does; None: there is none. at: where the mean over seeds of
    log2 k lies at which they meet, as k, with the ends of its 95 % interval; None where curves of some seed do not."""

    ahead: int | None
    behind: int | None
    at: tuple[float, float, float] | None


def crossover(rows: Sequence[dict], one: Curve, other: Curve) -> Crossover:
    """Where `other` takes over from `one` as k grows; certain means that the paired 95 % interval excludes 0."""
    ks = measured_ks(rows)
    found = [difference(rows, one, other, k) for k in ks]
    leads = [k for i, k in enumerate(ks) if all(each.low > 0 for each in found[:i + 1])]
    trails = [k for i, k in enumerate(ks) if all(each.high < 0 for each in found[i:])]
    values = {k: (at(rows, one, k), at(rows, other, k)) for k in ks}
    seeds = sorted(values[ks[0]][0])
    met = [meeting(ks, [values[k][0][seed] - values[k][1][seed] for k in ks]) for seed in seeds]
    where = None
    if None not in met and len(met) > 1:
        mean = t_interval(met)
        where = tuple(float(2 ** value) for value in (mean.mean, mean.low, mean.high))
    return Crossover(leads[-1] if leads else None, trails[0] if trails else None, where)


def meeting(ks: Sequence[int], lead: Sequence[float]) -> float | None:
    """log2 k where a lead first falls to 0, on straight lines between the ks; None where it never does or never was."""
    for i in range(1, len(ks)):
        if lead[i - 1] > 0 >= lead[i]:
            share = lead[i - 1] / (lead[i - 1] - lead[i])
            return float(np.log2(ks[i - 1]) + share * (np.log2(ks[i]) - np.log2(ks[i - 1])))
    return None
