"""Pictures of lesson 02, and what the rows of `mlcourse study freeze` say."""

from __future__ import annotations

from collections.abc import Sequence

from mlcourse.statistics import Estimate, holm, paired_difference, paired_p_value, t_interval

LABELS = (1, 2, 5, 10, 20, 50)


def at(rows: Sequence[dict], source: str, arm: str, k: int) -> dict[int, float]:
    """{seed: accuracy in %} of an arm from a source with k labels of each class; "none": from random weights."""
    return {row["seed"]: row["accuracy"] for row in rows
            if (row["source"], row["arm"], row["k"]) == (source, arm, k) and "accuracy" in row}


def over_labels(rows: Sequence[dict], source: str, arm: str) -> dict[int, Estimate]:
    """{k: accuracy in %} of an arm over seeds."""
    found = {k: at(rows, source, arm, k) for k in LABELS}
    return {k: t_interval(values.values()) for k, values in found.items() if values}
