"""What the rows of `mlcourse study making` say."""

from __future__ import annotations

from collections.abc import Sequence

from mlcourse.lessons.l10_data.study_making_arms import (ALONE, FEATURES, MADE, SAMPLES, SUPPORT, TRAINING,
                                                         VIEWS)
from mlcourse.statistics import Estimate, paired_difference, t_interval

Rows = Sequence[dict]


def found(rows: Rows, part: str, arm: str, classifier: str, shot: int, split: str = "test") -> list[dict]:
    """The rows of an arm. Raises ValueError where there is none."""
    rows = [row for row in rows if (row["part"], row["arm"], row["classifier"], row["shot"], row["split"])
            == (part, arm, classifier, shot, split)]
    if not rows:
        raise ValueError(f"no row of {arm!r} ({part}, {classifier}, {shot}-shot, {split}); run mlcourse study making")
    return rows


def setting(rows: Rows, arm: str, classifier: str, shot: int, made: int | None = None) -> str:
    """"made × copies", for views with their strength, with the best accuracy on validation classes; of those with
    `made` pictures of each class, if that is given."""
    row, = found(rows, SUPPORT, arm, classifier, shot, "val")
    scores = {name: value for name, value in row["accuracy"].items() if made is None or name.startswith(f"{made}×")}
    return max(scores, key=scores.get)


def values(rows: Rows, arm: str, classifier: str = FEATURES, shot: int = 1,
           made: int | None = None) -> dict[int, float]:
    """{seed: accuracy in per cent} on test classes, at the setting that validation classes chose."""
    own = found(rows, SUPPORT, arm, classifier, shot)
    if not isinstance(own[0]["accuracy"], dict):
        return {row["seed"]: row["accuracy"] for row in own}
    name = setting(rows, arm, classifier, shot, made)
    return {row["seed"]: row["accuracy"][name] for row in own}


def mean(rows: Rows, arm: str, classifier: str = FEATURES, shot: int = 1) -> Estimate:
    """The mean accuracy over seeds."""
    return t_interval(values(rows, arm, classifier, shot).values())


def gain(rows: Rows, arm: str, over: str, classifier: str = FEATURES, shot: int = 1) -> Estimate:
    """How much more an arm gets than another, in points, paired over seeds, which share their episodes. Beside a
    generator hand-made views are as many as its pictures, whichever of the two is named first."""
    own, other = (values(rows, one, classifier, shot, as_many(rows, one, beside, classifier, shot))
                  for one, beside in ((arm, over), (over, arm)))
    return paired_difference(own, other)


def as_many(rows: Rows, arm: str, beside: str, classifier: str, shot: int) -> int | None:
    """How many pictures of each class hand-made views are to be beside a generator; None: at their best."""
    if arm != VIEWS or beside not in MADE:
        return None
    return int(setting(rows, beside, classifier, shot).split("×")[0])


def own_gain(rows: Rows, rule: str, arm: str, classifier: str, shot: int) -> Estimate:
    """How much more the set VAE itself gets, by a rule, than an arm, in points, paired over seeds."""
    return paired_difference(values(rows, rule, "own", shot), values(rows, arm, classifier, shot))


def trained(rows: Rows, arm: str, shot: int = 1) -> dict[int, float]:
    """{seed: accuracy in per cent} of supports alone on a body trained so; `ALONE`: as it is."""
    if arm == ALONE:
        return values(rows, ALONE, FEATURES, shot)
    return {row["seed"]: row["accuracy"] for row in found(rows, TRAINING, arm, FEATURES, shot)}


def trained_gain(rows: Rows, arm: str, over: str = ALONE, shot: int = 1) -> Estimate:
    """How much more a body's training gets than another's, in points, paired over seeds."""
    return paired_difference(trained(rows, arm, shot), trained(rows, over, shot))


def sample(rows: Rows, arm: str, field: str, shot: int = 5) -> Estimate:
    """The mean of a field of part "samples" over seeds."""
    return t_interval([row[field] for row in found(rows, SAMPLES, arm, FEATURES, shot)])


def sample_gain(rows: Rows, arm: str, field: str, over: str, base: str, shot: int = 5) -> Estimate:
    """A field of part "samples" less another, of the same arm or of another, paired over seeds."""
    own, other = ({row["seed"]: row[name] for row in found(rows, SAMPLES, one, FEATURES, shot)}
                  for one, name in ((arm, field), (over, base)))
    return paired_difference(own, other)
