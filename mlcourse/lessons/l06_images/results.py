"""What the rows of `mlcourse study protocol` say."""

from __future__ import annotations

from collections.abc import Sequence

from mlcourse.statistics import Estimate, paired_difference, t_interval


def by_seed(rows: Sequence[dict], part: str, arm: str, field: str, **which) -> dict[int, float]:
    """{seed: field} of an arm's test rows of a part. which: further fields that a row must have, such as norm="layer".
    Raises ValueError where there is none."""
    wanted = {"part": part, "arm": arm, "split": "test", **which}
    found = {row["seed"]: row[field] for row in rows if wanted.items() <= row.items() and field in row}
    if not found:
        raise ValueError(f"there is no row with {field!r} of {wanted}")
    return found


def mean(rows: Sequence[dict], part: str, arm: str, field: str, **which) -> Estimate:
    """The mean over seeds, with Student's t."""
    return t_interval(by_seed(rows, part, arm, field, **which).values())


def company(rows: Sequence[dict], arm: str, norm: str, one: str, other: str) -> Estimate:
    """Accuracy of a method with a norm in one company less that in another, paired over seeds, in points."""
    return paired_difference(*(by_seed(rows, "norms", arm, each, norm=norm) for each in (one, other)))


def leak(rows: Sequence[dict], split: str, honest: str = "by script") -> Estimate:
    """The score that a split reports less the honest one, paired over seeds, in points."""
    return paired_difference(*(by_seed(rows, "splits", "ProtoNet", "accuracy", setting=each)
                               for each in (split, honest)))


def rival(rows: Sequence[dict], arm: str, other: str) -> Estimate:
    """Accuracy of one arm less that of another, paired over seeds, in points; of the pixels one row is for all."""
    a, b = (by_seed(rows, "rivals", each, "accuracy") for each in (arm, other))
    if len(a) == 1 < len(b):
        a = dict.fromkeys(b, *a.values())
    if len(b) == 1 < len(a):
        b = dict.fromkeys(a, *b.values())
    return paired_difference(a, b)
