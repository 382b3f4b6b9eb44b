"""What lesson 08 reads from the rows of `mlcourse study comparing`."""

from __future__ import annotations

from collections.abc import Sequence

from mlcourse.statistics import Estimate, paired_difference, t_interval

GLYPHS, WHY, OMNIGLOT = "glyphs", "why", "omniglot"
ARMS = ("ProtoNet", "MatchingNet", "RelationNet", "R2D2", "NCA", "SupCon")


def by_seed(rows: Sequence[dict], arm: str, shot: int, part: str = GLYPHS, field: str = "accuracy",
            **more) -> dict[int, float]:
    """{seed: value} of an arm on the test classes; more: other fields that a row must have. Raises ValueError where there
    is none."""
    which = {"part": part, "arm": arm, "shot": shot, "split": "test", **more}
    found = {row["seed"]: row[field] for row in rows if which.items() <= row.items()}
    if not found:
        raise ValueError(f"there is no row of {arm}, {shot}-shot; the names are "
                         f"{', '.join(dict.fromkeys(row['arm'] for row in rows if row['part'] == part))}")
    return found


def mean(rows: Sequence[dict], arm: str, shot: int, **more) -> Estimate:
    """The mean over seeds with its interval."""
    return t_interval(by_seed(rows, arm, shot, **more).values())


def apart(rows: Sequence[dict], one: str, other: str, shot: int, part: str = GLYPHS, **more) -> Estimate:
    """The accuracy of `one` less that of `other`, in points, paired over seeds."""
    return paired_difference(*(by_seed(rows, arm, shot, part, **more) for arm in (one, other)))
