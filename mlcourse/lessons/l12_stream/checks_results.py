"""The check of lesson 12 on what its study bears out."""

from __future__ import annotations

from typing import NamedTuple

from mlcourse.exercises import entries
from mlcourse.lessons.l12_stream.study_stream_arms import ALONE, FTML, GDUMB, GDUMB_TUNED, SCRATCH, TUNED
from mlcourse.online.arms import HALF, UPRIGHT

NAMES = {HALF: "CONFLICT", UPRIGHT: "LOOKS"}


class Claim(NamedTuple):
    """A claim on two arms of the study in a stream, after so many samples: `one` is more accurate than `other`.
    verdict, name, why: as in `mlcourse.exercises.entries.check_claims`."""

    verdict: str
    name: str
    why: str
    one: str
    other: str
    stream: str
    samples: int

    @property
    def says(self) -> str:
        """The claim as the exercise prints it."""
        return f"{NAMES[self.stream]}, {self.samples} samples: {self.one} beats {self.other}"


OVERLAP, LARGER, EVERYWHERE, ALWAYS = (
    "overlapping intervals taken for no difference", "the larger mean wins",
    "what helps in one stream taken to help in all", "the best with few samples taken for the best with many")
CALL = "call apart with these two, this stream and this number; on which side of 0 does its interval lie?"
CLAIMS = {
    "a": Claim("yes", OVERLAP, CALL, TUNED, SCRATCH, HALF, 40),
    "b": Claim("open", LARGER, CALL, GDUMB_TUNED, TUNED, HALF, 40),
    "c": Claim("open", ALWAYS, CALL, FTML, ALONE, HALF, 200),
    "d": Claim("no", EVERYWHERE, CALL, GDUMB_TUNED, GDUMB, UPRIGHT, 40),
    "e": Claim("no", ALWAYS, CALL, FTML, ALONE, UPRIGHT, 200),
}


def check_verdicts(answer: object) -> str:
    """12.6: what the rows of the study bear out."""
    return entries.check_claims(answer, CLAIMS)
