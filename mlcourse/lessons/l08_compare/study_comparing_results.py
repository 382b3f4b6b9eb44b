"""What the rows of `mlcourse study comparing` say."""

from __future__ import annotations

from collections.abc import Sequence

from mlcourse.lessons.l08_compare.study_comparing_settings import (ANY, CONTRAST, FEWER, FEWEST, GLYPHS, HEADED,
                                                                   MATCHING, PAIRS, PROTO, RELATION, RIDGE, UNIT,
                                                                   WARM, WHY)
from mlcourse.statistics import Estimate, paired_difference, t_interval

Rows = Sequence[dict]
METHODS = (PROTO, MATCHING, RELATION, RIDGE, PAIRS, CONTRAST)
# from ProtoNet to SupCon, one change at a time
STEPS = ((GLYPHS, PROTO), (GLYPHS, PAIRS), (WHY, UNIT), (WHY, WARM), (WHY, HEADED), (GLYPHS, CONTRAST))
BATCHES = ((GLYPHS, PAIRS), (WHY, FEWER), (WHY, FEWEST), (WHY, ANY))


def values(rows: Rows, part: str, arm: str, shot: int = 1, field: str = "accuracy") -> dict[int, float]:
    """{seed: field} of an arm on test classes."""
    return {row["seed"]: row[field] for row in rows
            if (row["part"], row["arm"], row["shot"], row["split"]) == (part, arm, shot, "test")}


def mean(rows: Rows, part: str, arm: str, shot: int = 1, field: str = "accuracy") -> Estimate:
    """The mean of a field over seeds. Raises ValueError where there is no row."""
    return t_interval(values(rows, part, arm, shot, field).values())


def apart(rows: Rows, one: tuple[str, str], other: tuple[str, str], shot: int = 1, field: str = "accuracy") -> Estimate:
    """How much the field of `one`, a part and an arm, is above that of `other`, paired over seeds that both have."""
    a, b = (values(rows, *which, shot, field) for which in (one, other))
    both = sorted(a.keys() & b.keys())
    return paired_difference([a[seed] for seed in both], [b[seed] for seed in both])
