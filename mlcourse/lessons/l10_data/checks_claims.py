"""The check of lesson 10 on claims: what the study bears out."""

from __future__ import annotations

from typing import NamedTuple

from mlcourse.exercises import entries


class Claim(NamedTuple):
    """A claim on two arms of the study, 5-way 1-shot: a ridge regression on pixels or features (`on`) is more accurate
    with `one` than with `other`. verdict, name, why, slip: as in `entries.misjudged`."""

    verdict: str
    name: str
    why: str
    one: str
    other: str
    on: str
    slip: str | None = None

    @property
    def says(self) -> str:
        """The claim as the exercise prints it."""
        return f"on {self.on}: {self.one} is more accurate than {self.other}"


CALL = "call apart with these names; on which side of 0 does its interval lie?"
CLAIMS = {
    "a": Claim("yes", "what loses to a rival taken for useless", CALL, "set VAE", "support alone", "pixels",
               slip="open"),
    "b": Claim("yes", "a gain over nothing taken for a gain over views", CALL, "hand-made views", "set VAE", "pixels",
               slip="no"),
    "c": Claim("no", "two trainings of a network taken for one", CALL, "set VAE", "set VAE, query loss", "pixels",
               slip="open"),
    "d": Claim("open", "an interval across 0 taken for a verdict", CALL, "set VAE, query loss", "hand-made views",
               "features"),
}


def check_verdicts(answer: object) -> str:
    """10.4: what the rows of the study bear out."""
    return entries.check_claims(answer, CLAIMS)
