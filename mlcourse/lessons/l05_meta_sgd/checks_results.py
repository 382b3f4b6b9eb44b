"""The check of lesson 05's judgement: what paired intervals of the pipeline's study bear out."""

from __future__ import annotations

from typing import NamedTuple

from mlcourse.exercises.entries import VERDICTS, filled
from mlcourse.exercises.framework import Misconception, all_of, look_at

BEST_ON_VALIDATION = "A"
BY_TARGET = "an arm chosen by the target's labels"
NOT_THE_BEST = "not the best where labels are"
OTHER_WAY = "the sign of the difference"


class Claim(NamedTuple):
    """That arm `one` beats arm `other` on a target: the verdict, and the misconception behind another one, with what to
    look at."""

    one: str
    other: str
    target: str
    verdict: str
    name: str
    why: str


CLAIMS = {
    "a": Claim("C", "E", "new scripts", "open", "the larger mean wins",
               "the interval of the paired difference includes zero, so neither arm is ahead of the other"),
    "b": Claim("A", "B", "new scripts", "yes", "a small difference taken for none",
               "the arms share seeds and test episodes, and the interval of their difference lies above zero"),
    "c": Claim("C", "D", "digits", "no", "overlapping intervals read as no difference",
               "the two intervals overlap, but that of the paired difference lies below zero: here the learned rates "
               "cost accuracy"),
    "d": Claim("A", "C", "digits", "open", "a gap of two means taken for a difference",
               "the means are two points apart, but the interval of the paired difference includes zero"),
}


def check_verdicts(answer: object) -> str:
    """05.4: four verdicts, and the arm that one may choose without a label of the target."""
    given = filled(answer, dict.fromkeys(CLAIMS, VERDICTS) | {"arm": tuple("abcdefg")})
    wrong = [misread(key, given[key]) for key in CLAIMS if given[key] != CLAIMS[key].verdict]
    if given["arm"] == "d":
        wrong.append(Misconception(BY_TARGET, "look at arm: D leads after five steps on the digits, but to know that "
                                   "you needed their labels; choose by the validation scripts."))
    elif given["arm"] != BEST_ON_VALIDATION.lower():
        wrong.append(Misconception(NOT_THE_BEST, "look at arm: another one has the highest accuracy on the "
                                   "validation scripts."))
    if wrong:
        raise all_of(wrong)
    return ("Read one at a time, b lies above zero and c below. The study makes eight such comparisons of learned "
            "rates; read together (Holm's correction), no gain is told from zero, and the loss of c is at the border.")


def misread(key: str, said: str) -> Misconception:
    """What is wrong with one verdict."""
    claim = CLAIMS[key]
    if "open" in (said, claim.verdict):
        return Misconception(claim.name, look_at(key, claim.why))
    side = "above" if claim.verdict == "yes" else "below"
    return Misconception(OTHER_WAY, f"look at {key}: the difference is {claim.one} less {claim.other}, and its "
                         f"interval lies {side} zero.")
