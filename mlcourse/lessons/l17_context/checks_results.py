"""The check of lesson 17 on what its study bears out on glyphs."""

from __future__ import annotations

from typing import NamedTuple

from mlcourse.exercises.entries import check_claims
from mlcourse.lessons.l17_context.study_context_glyphs import BY_CAML, BY_CNP, BY_MAP, BY_RESIDUAL, PROTO


class Claim(NamedTuple):
    """A claim that one arm is better than another at a shot: the verdict, and the misconception behind another one,
    with what to look at."""

    one: str
    other: str
    shot: int
    verdict: str
    name: str
    why: str

    @property
    def says(self) -> str:
        """In words."""
        return f"{self.shot}-shot: {self.one} is better than {self.other}"


CLAIMS = {
    "a": Claim(BY_CAML, PROTO, 1, "no", "the newer method taken for the better", "CAML reads ProtoNet's features; does "
               "its interval lie above 0 or below?"),
    "b": Claim(BY_CAML, BY_CNP, 5, "yes", "two that fall behind taken for equal", "both are behind ProtoNet, but the "
               "question is on which side of 0 their own difference lies?"),
    "c": Claim(BY_MAP, PROTO, 1, "no", "a small difference taken for none", "print two digits: how wide is the "
               "interval, and does it reach 0?"),
    "d": Claim(BY_RESIDUAL, PROTO, 1, "yes", "a control taken for a formality", "the control can gain, too; on which "
               "side of 0 does its interval lie?"),
}


def check_verdicts(answer: object) -> str:
    """17.5: four verdicts."""
    return check_claims(answer, CLAIMS)
