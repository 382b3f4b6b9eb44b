"""The check of lesson 09 on what its study bears out."""

from __future__ import annotations

from typing import NamedTuple

from mlcourse.exercises.entries import check_claims
from mlcourse.lessons.l09_memory.figures import KEY_VALUE, LSTM, MANN, NEIGHBOUR, STRONG


class Claim(NamedTuple):
    """A claim that one arm is better than another at a presentation. verdict, name, why, slip: as in
    `entries.misjudged`."""

    one: str
    other: str
    presentation: int
    verdict: str
    name: str
    why: str
    slip: str | None = None

    @property
    def says(self) -> str:
        """In words."""
        return f"presentation {self.presentation}: {self.one} is better than {self.other}"


CLAIMS = {
    "a": Claim(STRONG, MANN, 2, "open", "an interval across 0 read as a difference", "at the second presentation the "
               "paired interval lies on both sides of 0"),
    "b": Claim(STRONG, LSTM, 5, "yes", "one presentation read as all", "at the fifth presentation the paired interval "
               "lies above 0", slip="open"),
    "c": Claim(KEY_VALUE, NEIGHBOUR, 5, "no", "close read as equal", "at the fifth presentation the paired interval "
               "lies below 0", slip="open"),
    "d": Claim(LSTM, NEIGHBOUR, 1, "yes", "the best arm taken for the best everywhere", "at the first presentation "
               "nearest neighbour names a label that is taken, and who has learned to rule labels out guesses better",
               slip="no"),
}


def check_verdicts(answer: object) -> str:
    """09.6: four verdicts."""
    return check_claims(answer, CLAIMS)
