"""Checks of lesson 11 on numbers: how far a distractor pulls, and what the study bears out."""

from __future__ import annotations

import math
from typing import NamedTuple

from mlcourse.exercises import entries
from mlcourse.exercises.framework import Misconception, NotYet, all_of
from mlcourse.lessons.l11_unlabelled.results import BALANCED, CLUSTER, HARD, MASKED, SOFT_AT_TEST

# ---------------------------------------------------------------- 11.2

FIRST, SECOND, STRAY = 0.0, 4.0, -2.0
SHARE, PROTOTYPE, BORDER, MANY = KEYS = ("share", "prototype", "border", "many")
DIGITS = 0.005          # half of the second digit


def truths() -> dict[str, float]:
    """The four numbers. The stray's share of class 0 is 1 to seven digits."""
    prototype = (FIRST + STRAY) / 2
    return {SHARE: 1.0, PROTOTYPE: prototype, BORDER: (prototype + SECOND) / 2, MANY: (STRAY + SECOND) / 2}


ROUTES = (      # the key, a value that a mistake leads to, its name, and what to look at
    (SHARE, 0.0, "a distractor is left out by itself", "shares sum to 1 over the classes, and no class is called 'none "
                                                       "of these'"),
    (SHARE, 1 / (1 + math.exp(2 - 6)), "the length, not its square", "the distances 2 and 6 are squared before the "
                                                                   "softmax"),
    (SHARE, 0.5, "a distractor is shared out evenly", "squared distances 4 and 36 make shares of exp(-4) to exp(-36)"),
    (SHARE, 0.9, "shares by distance, without exp", "a softmax raises e to minus the squared distance"),
    (PROTOTYPE, STRAY, "the labelled drawing is left out", "the mean is that of the labelled drawing and the stray"),
    (PROTOTYPE, STRAY / 3, "the prototype counted beside its drawing", "two drawings make the mean: the labelled one "
                                                                       "and the stray"),
    (BORDER, (FIRST + SECOND) / 2, "the border stays", "it lies half way between the prototypes, and one has moved"),
    (MANY, STRAY, "the prototype in place of the border", "the border lies half way between the prototypes"),
    (MANY, float("-inf"), "no end to the pull", "the mean of ever more drawings at -2 and one at 0 tends to -2, no "
                                                "further"),
)


def check_pull(answer: object) -> str:
    """11.2: a distractor's share, and where prototype and border go."""
    given = entries.numbers(answer, KEYS)
    off = [key for key, right in truths().items() if not abs(given[key] - right) <= DIGITS]
    if found := [Misconception(name, f"look at {key}: {why}.") for key, value, name, why in ROUTES
                 if key in off and (given[key] == value or abs(given[key] - value) <= DIGITS)]:
        raise all_of(found)
    if off:
        raise NotYet(f"{off[0]} is not {given[off[0]]:g}; draw a line, put the drawings on it, and begin with the "
                     "squared distances of the stray: 4 and 36.")
    return "A softmax cannot say 'none of these': the stray counts wholly. But the border moves by less than 1."


# ---------------------------------------------------------------- 11.5

class Claim(NamedTuple):
    """A claim on two arms of the study, with pools of so many other classes and this balance: `one` is more accurate
    than `other`. verdict, name, why, slip: as in `entries.misjudged`."""

    verdict: str
    name: str
    why: str
    one: str
    other: str
    distractors: int
    balance: str
    slip: str | None = None

    @property
    def says(self) -> str:
        """The claim as the exercise prints it."""
        return f'{self.distractors} other classes, balance "{self.balance}": {self.one} beats {self.other}'


OVERLAP, LARGER, EVERYWHERE, EVEN = ("overlapping intervals taken for no difference", "the larger mean wins",
                                     "the best arm taken for the best everywhere", "even")
CALL = "call apart with these two, this pool and this balance; on which side of 0 does its interval lie?"
CLAIMS = {
    "a": Claim("open", LARGER, CALL, CLUSTER, MASKED, 5, EVEN, slip="yes"),
    "b": Claim("yes", OVERLAP, CALL, SOFT_AT_TEST, HARD, 5, EVEN, slip="open"),
    "c": Claim("no", EVERYWHERE, CALL, BALANCED, SOFT_AT_TEST, 0, "5", slip="yes"),
}


def check_verdicts(answer: object) -> str:
    """11.5: what the rows of the study bear out."""
    return entries.check_claims(answer, CLAIMS)
