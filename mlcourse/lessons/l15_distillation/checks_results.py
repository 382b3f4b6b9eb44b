"""The check of exercise 15.5: what paired intervals of the study bear out."""

from __future__ import annotations

from typing import NamedTuple

from mlcourse.exercises.entries import check_claims


class Claim(NamedTuple):
    """That students of the arm `one` read more than those of the arm `other`, of so many filters. verdict, name, why,
    slip: as in `entries.misjudged`."""

    one: str
    other: str
    width: int
    verdict: str
    name: str
    why: str
    slip: str | None = None


CLAIMS = {
    "a": Claim("distilled", "first choices", 8, "open", "softness taken for granted",
               "the interval of the difference includes zero: the rows do not say that the softness helped",
               slip="yes"),
    "b": Claim("distilled", "own labels", 8, "yes", "overlapping intervals read as no difference",
               "the intervals of the two rows overlap, but that of the paired difference lies above zero", slip="open"),
    "c": Claim("distilled", "own labels", 16, "open", "the larger mean wins",
               "soft targets have the larger mean, but the interval of the paired difference includes zero",
               slip="yes"),
    "d": Claim("distilled", "first choices", 4, "no", "softness taken for a gain at every size",
               "the interval lies below zero: for the smallest student the teacher's first choices were better",
               slip="yes"),
    "e": Claim("of the AdaBN teacher", "distilled", 8, "yes", "the better teacher overlooked",
               "the interval of the paired difference lies above zero"),
}


def check_verdicts(answer: object) -> str:
    """15.5: what paired intervals of the study bear out."""
    return check_claims(answer, CLAIMS)
