"""The check of lesson 12 on what its study bears out."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import NamedTuple

from mlcourse.exercises import entries
from mlcourse.exercises.framework import Misconception, all_of, look_at
from mlcourse.lessons.l12_stream.study_stream_arms import ALONE, FTML, GDUMB, GDUMB_TUNED, SCRATCH, TUNED
from mlcourse.online.arms import HALF, UPRIGHT

NAMES = {HALF: "CONFLICT", UPRIGHT: "LOOKS"}

OVERLAP, LARGER, ALWAYS, ELSEWHERE, SWAPPED, ALIKE = (
    "overlapping intervals taken for no difference", "the larger mean wins",
    "the best with few samples taken for the best with many", "what holds in one stream taken to hold in all",
    "the two arms the wrong way round", "one verdict for all")
WHY = {
    OVERLAP: "two intervals may overlap although the paired one, which apart gives, lies on one side of 0",
    LARGER: "the interval of apart reaches across 0, whichever mean is larger",
    ALWAYS: "with 40 samples, which is what apart takes unless told, it is so; give it 200",
    ELSEWHERE: "in the other stream it is so; give apart the one that the claim names",
    SWAPPED: "apart(one, other, …) lies above 0 where the first is better; name the two in the order of the claim",
}


class Claim(NamedTuple):
    """A claim on two arms of the study in a stream, after so many samples: `one` is more accurate than `other`.

    verdict: the right one. misread: for each wrong one the ways to it, the likeliest first, each a tuple of all the
    misconceptions that it takes.
    """

    verdict: str
    misread: Mapping[str, tuple[tuple[str, ...], ...]]
    one: str
    other: str
    stream: str
    samples: int

    @property
    def says(self) -> str:
        """The claim as the exercise prints it."""
        return f"{NAMES[self.stream]}, {self.samples} samples: {self.one} beats {self.other}"


CLAIMS = {
    "a": Claim("yes", {"open": ((OVERLAP,), (ELSEWHERE,)), "no": ((SWAPPED,),)}, TUNED, SCRATCH, HALF, 40),
    "b": Claim("open", {"yes": ((LARGER,),), "no": ((LARGER, SWAPPED),)}, GDUMB_TUNED, TUNED, HALF, 40),
    "c": Claim("open", {"yes": ((ALWAYS,), (LARGER,)), "no": ((ELSEWHERE,), (LARGER, SWAPPED), (ALWAYS, SWAPPED))},
               FTML, ALONE, HALF, 200),
    "d": Claim("no", {"yes": ((ELSEWHERE,), (SWAPPED,)), "open": ((OVERLAP,),)}, GDUMB_TUNED, GDUMB, UPRIGHT, 40),
    "e": Claim("no", {"yes": ((ALWAYS,), (SWAPPED,)), "open": ((OVERLAP,), (ELSEWHERE,))}, FTML, ALONE, UPRIGHT, 200),
}


def check_verdicts(answer: object) -> str:
    """12.6: what the rows of the study bear out."""
    given = entries.filled(answer, dict.fromkeys(CLAIMS, entries.VERDICTS))
    if wrong := {key: given[key] for key, claim in CLAIMS.items() if given[key] != claim.verdict}:
        found = behind(wrong)
        if len(found) > 1 and len({*given.values()}) == 1:
            raise Misconception(ALIKE, "the five claims do not all come out alike; call apart for each of them.")
        raise all_of(found)
    return "Each verdict is that of a paired interval over five seeds."


def behind(wrong: Mapping[str, str]) -> list[Misconception]:
    """The fewest misconceptions that lead to all these wrong verdicts; of several such sets the likeliest."""
    ways = product(*(CLAIMS[key].misread[verdict] for key, verdict in wrong.items()))
    taken = dict(zip(wrong, min(ways, key=lambda each: len(set().union(*each))), strict=True))
    at = {name: [key for key, names in taken.items() if name in names] for name in WHY}
    return [Misconception(name, look_at(", ".join(keys), WHY[name])) for name, keys in at.items() if keys]
