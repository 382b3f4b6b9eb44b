"""What lesson 08 reads from the rows of `mlcourse study comparing`."""

from __future__ import annotations

from collections.abc import Sequence

from mlcourse.statistics import Estimate, paired_difference, t_interval

ON_GLYPHS, OMNIGLOT = ("glyphs", "why"), ("omniglot",)
ARMS = ("ProtoNet", "MatchingNet", "RelationNet", "R2D2", "NCA", "SupCon")


def by_seed(rows: Sequence[dict], arm: str, shot: int, parts: Sequence[str] = ON_GLYPHS,
            field: str = "accuracy") -> dict[int, float]:
    """{seed: value} of an arm on the test classes. Raises ValueError where there is none."""
    mine = [row for row in rows if row["part"] in parts and row["split"] == "test"]
    found = {row["seed"]: row[field] for row in mine if (row["arm"], row["shot"]) == (arm, shot)}
    if not found:
        raise ValueError(f"there is no row of {arm!r}, {shot}-shot; the names are "
                         f"{'; '.join(dict.fromkeys(row['arm'] for row in mine))}, 1-shot and 5-shot")
    return found


def mean(rows: Sequence[dict], arm: str, shot: int, parts: Sequence[str] = ON_GLYPHS) -> Estimate:
    """The mean over seeds with its interval."""
    return t_interval(by_seed(rows, arm, shot, parts).values())


def apart(rows: Sequence[dict], one: str, other: str, shot: int, parts: Sequence[str] = ON_GLYPHS) -> Estimate:
    """The accuracy of `one` less that of `other`, in points, paired over seeds."""
    return paired_difference(*(by_seed(rows, arm, shot, parts) for arm in (one, other)))
