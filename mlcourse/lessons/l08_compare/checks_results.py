"""Checks of lesson 08 on numbers: what cosines allow, and what the study bears out."""

from __future__ import annotations

import math
from typing import NamedTuple

from mlcourse.exercises import entries
from mlcourse.exercises.framework import Misconception, NotYet, all_of

# ---------------------------------------------------------------- 08.3

SHARE, LOSS, TWENTY, TAU = KEYS = ("share", "loss", "share of 20", "tau")
DIGITS = 0.006
FROM_ZERO, ITSELF, INVERSE = "cosines taken to begin at 0", "the right one among its rivals", "the scale in place of τ"


def largest(way: int, tau: float = 1.0) -> float:
    """The largest share that a softmax over `way` cosines, divided by tau, can give: one is 1, the others -1."""
    return 1 / (1 + (way - 1) * math.exp(-2 / tau))


def sharp(way: int, share: float) -> float:
    """The τ at which the largest share is this one."""
    return 2 / math.log((way - 1) * share / (1 - share))


def truths() -> dict[str, float]:
    """The four numbers."""
    return {SHARE: largest(5), LOSS: -math.log(largest(5)), TWENTY: largest(20), TAU: sharp(5, 0.99)}


ROUTES = (      # the key, a value that a mistake leads to, its name, and what to look at
    (SHARE, math.e / (math.e + 4), FROM_ZERO, "the rivals' cosines can be -1, not just 0"),
    (SHARE, math.e**2 / (math.e**2 + 5), ITSELF, "the denominator has the right sample once and four rivals"),
    (TWENTY, math.e / (math.e + 19), FROM_ZERO, "the rivals' cosines can be -1, not just 0"),
    (TWENTY, math.e**2 / (math.e**2 + 20), ITSELF, "the denominator has the right sample once and 19 rivals"),
    (LOSS, -math.log2(largest(5)), "bits in place of nats", "cross-entropy has the natural logarithm"),
    (LOSS, 1 - largest(5), "1 - p in place of -log p", "the cross-entropy of a sample is minus the logarithm of the "
                                                       "right class's probability"),
    (TAU, 1 / sharp(5, 0.99), INVERSE, "cosines are divided by τ, so a small one sharpens"),
    (TAU, sharp(5, 0.99) / 2, FROM_ZERO, "the cosines of the right one and of a rival lie 2 apart, not 1"),
)


def check_bound(answer: object) -> str:
    """08.3: the most that a softmax over cosines can say."""
    given = entries.numbers(answer, KEYS)
    off = [key for key, right in truths().items() if abs(given[key] - right) > DIGITS]
    if found := [Misconception(name, f"look at {key}: {why}.") for key, value, name, why in ROUTES
                 if key in off and abs(given[key] - value) <= DIGITS]:
        raise all_of(found)
    if off:
        percent = any(abs(given[key] / 100 - right) <= DIGITS for key, right in truths().items() if key in off)
        raise NotYet(f"{off[0]} is not {given[off[0]]:g}; " + (
            "a share lies between 0 and 1." if percent else
            "which cosines do the right sample and its rivals have in the best case, and what does a softmax make of "
            "them?"))
    return ("With plain cosines a query costs at least 0.43 even where nothing is wrong. (Five classes cannot all lie "
            "opposite each other: cosines of -1/4 are the best for all at once, and cost 0.76.)")


# ---------------------------------------------------------------- 08.5

class Claim(NamedTuple):
    """A claim on two arms of the study, held-out classes, 5-way `shot`-shot: `one` is more accurate than `other`.
    verdict, name, why, slip: as in `entries.misjudged`."""

    verdict: str
    name: str
    why: str
    one: str
    other: str
    shot: int
    slip: str | None = None

    @property
    def says(self) -> str:
        """The claim as the exercise prints it."""
        return f"{self.shot}-shot: {self.one} is more accurate than {self.other}"


LARGER, OVERLAP, SIGN = ("the larger mean wins", "overlapping intervals taken for no difference",
                         "the sign of a difference")
CALL = "call apart with these two names; on which side of 0 does its interval lie?"
CLAIMS = {
    "a": Claim("open", LARGER, CALL, "ProtoNet", "MatchingNet", 5, slip="no"),
    "b": Claim("yes", OVERLAP, CALL, "NCA", "MatchingNet", 1, slip="open"),
    "c": Claim("yes", OVERLAP, CALL, "NCA", "NCA, 16 × 8", 5, slip="open"),
    "d": Claim("no", SIGN, CALL, "MatchingNet", "NCA", 5, slip="yes"),
}


def check_verdicts(answer: object) -> str:
    """08.5: what the rows of the study bear out."""
    return entries.check_claims(answer, CLAIMS)
