"""How many samples of a task are needed until a threshold is passed, where some tasks never pass it.

A task that has not passed it with its last samples needs more than those, nobody knows how many: it is censored. A mean
that counts it with its last number is too small, by an unknown amount. What can be said: the share that passed, and the
Kaplan-Meier estimate of how many still need more after n samples (Kaplan and Meier, J. Am. Stat. Assoc. 1958), with its
median where half of them passed.

    S(n) = Π_{m ≤ n} (1 - d_m / r_m)     d_m: tasks that pass at m samples; r_m: tasks that were watched at m or beyond
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor


class Needed(NamedTuple):
    """samples: with which a task passed; where it never did, the last number that it was watched at."""

    samples: int
    passed: bool


def samples_needed(accuracy: Tensor, sizes: Sequence[int], threshold: float) -> Needed:
    """The first of the sizes with which the accuracy (S,) is at least the threshold, both in 0 to 1.

    Raises ValueError for another number of accuracies, or a threshold outside 0 to 1.
    """
    if accuracy.shape != (len(sizes),):
        raise ValueError(f"every size needs an accuracy, got {len(sizes)} sizes and accuracies {tuple(accuracy.shape)}")
    if not 0 <= threshold <= 1:
        raise ValueError(f"the threshold must lie in 0 to 1, as accuracies do, got {threshold}")
    at = next((n for n, right in zip(sizes, accuracy.tolist(), strict=True) if right >= threshold), None)
    return Needed(sizes[-1], False) if at is None else Needed(at, True)


def share_passed(needed: Sequence[Needed]) -> float:
    """The share of the tasks that passed. Raises ValueError for none."""
    _check(needed)
    return sum(each.passed for each in needed) / len(needed)


def kaplan_meier(needed: Sequence[Needed]) -> list[tuple[int, float]]:
    """(n, S(n)) at every n where a task passed, ascending: the estimated share that needs more than n samples. Raises
    ValueError for no task."""
    _check(needed)
    curve, still = [], 1.0
    for n in sorted({each.samples for each in needed if each.passed}):
        watched = sum(each.samples >= n for each in needed)
        still *= 1 - sum(each.passed and each.samples == n for each in needed) / watched
        curve.append((n, still))
    return curve


def median_needed(needed: Sequence[Needed]) -> int | None:
    """The smallest n with S(n) ≤ ½: the median number of samples; None where S stays above ½. Raises ValueError for no
    task."""
    return next((n for n, still in kaplan_meier(needed) if still <= 0.5 + 1e-12), None)


def _check(needed: Sequence[Needed]) -> None:
    if not needed:
        raise ValueError("there is no task to say anything of; give the samples needed by at least one")
