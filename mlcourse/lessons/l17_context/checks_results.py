"""The check of lesson 17 on what its study bears out on glyphs."""

from __future__ import annotations

from typing import NamedTuple

from mlcourse.exercises.entries import check_claims
from mlcourse.lessons.l17_context.study_context_glyphs import BY_CAML, BY_CNP, BY_MAP, BY_RESIDUAL, PROTO


class Claim(NamedTuple):
    """A claim that one arm is better than another at a shot. verdict, name, why, slip: as in
    `entries.misjudged`."""

    one: str
    other: str
    shot: int
    verdict: str
    name: str
    why: str
    slip: str | None = None

    @property
    def says(self) -> str:
        """In words."""
        return f"{self.shot}-shot: {self.one} is better than {self.other}"


CLAIMS = {
    "a": Claim(BY_CAML, BY_MAP, 1, "no", "the newer method taken for the better", "both read the same features; does "
               "the interval lie above 0 or below?", slip="yes"),
    "b": Claim(BY_CAML, BY_CNP, 5, "yes", "two that fall behind taken for equal", "both are behind ProtoNet, but on "
               "which side of 0 does their own difference lie?", slip="open"),
    "c": Claim(BY_MAP, PROTO, 5, "no", "a small difference taken for none", "print two digits: how wide is the "
               "interval, and does it reach 0?", slip="open"),
    "d": Claim(BY_RESIDUAL, PROTO, 5, "yes", "a control taken for a formality", "a control can gain, too; on which "
               "side of 0 does its interval lie?"),
}


def check_verdicts(answer: object) -> str:
    """17.5: four verdicts."""
    return check_claims(answer, CLAIMS)
