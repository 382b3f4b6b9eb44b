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
    "a": Claim(BY_CAML, PROTO, 1, "no", "TODO", "TODO"),
    "b": Claim(BY_CAML, BY_RESIDUAL, 1, "no", "TODO b", "TODO"),
    "c": Claim(BY_MAP, PROTO, 1, "open", "TODO c", "TODO"),
    "d": Claim(BY_CNP, BY_CAML, 5, "open", "TODO d", "TODO"),
}


def check_verdicts(answer: object) -> str:
    """17.5: four verdicts."""
    return check_claims(answer, CLAIMS)
