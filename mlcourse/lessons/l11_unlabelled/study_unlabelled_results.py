"""What the rows of `mlcourse study unlabelled` say."""

from __future__ import annotations

from collections.abc import Sequence

from mlcourse.lessons.l11_unlabelled.study_unlabelled_arms import GLYPHS, TOLD
from mlcourse.statistics import Estimate, paired_difference, t_interval

Rows = Sequence[dict]
Where = tuple[str, int, str]        # an arm, the number of distractor classes, and the balance


def values(rows: Rows, arm: str, distractors: int, balance: str = "even", part: str = GLYPHS) -> dict[int, float]:
    """{seed: accuracy (%)} of an arm on test classes, with pools of so many distractor classes and this balance."""
    return {row["seed"]: row["accuracy"][row["balance"].index(balance)] for row in rows
            if (row["part"], row["arm"], row["distractors"], row["split"]) == (part, arm, distractors, "test")}


def mean(rows: Rows, arm: str, distractors: int, balance: str = "even", part: str = GLYPHS) -> Estimate:
    """The mean accuracy (%) over seeds. Raises ValueError where there is no row."""
    return t_interval(values(rows, arm, distractors, balance, part).values())


def apart(rows: Rows, one: Where, other: Where, part: str = GLYPHS) -> Estimate:
    """How many points `one` is above `other`, paired over seeds. Raises ValueError where they have other seeds."""
    return paired_difference(values(rows, *one, part), values(rows, *other, part))


def largest(rows: Rows) -> dict[str, float]:
    """{balance: mean share (%) of the commonest class among the unlabelled samples of an episode's classes}, glyphs."""
    row = next(row for row in rows if (row["part"], row["split"]) == (GLYPHS, "test"))
    return dict(zip(row["balance"], row["largest"], strict=True))


def beyond_told(rows: Rows, arm: str, distractors: int, balance: str, part: str = GLYPHS) -> Estimate:
    """How many points more an arm changes from even pools to this balance than what is told the pool's labels does,
    paired over seeds: what is not mere lack of drawings of the rare classes."""
    def change(name: str) -> dict[int, float]:
        even, uneven = (values(rows, name, distractors, each, part) for each in ("even", balance))
        return {seed: uneven[seed] - even[seed] for seed in even}

    return paired_difference(change(arm), change(TOLD))
