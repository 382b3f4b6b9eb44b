"""Checks of lesson 06 on judgements: what a split leaks, and what numbers bear out."""

from __future__ import annotations

from typing import NamedTuple

from mlcourse.exercises import entries
from mlcourse.exercises.entries import filled
from mlcourse.exercises.framework import Misconception, all_of, look_at

# ---------------------------------------------------------------- 06.2

NOTHING, SCRIPTS, ALIKE, TURNED, CLASSES = "nothing", "scripts", "look-alikes", "turned classes", "classes"
SHARED = (NOTHING, SCRIPTS, ALIKE, TURNED, CLASSES)


class Leak(NamedTuple):
    """What training and test of a split share, and the misconception behind another answer, with what to look at."""

    verdict: str
    name: str
    why: str


LEAKS = {
    "a": Leak(ALIKE, "other names taken for other classes", "the scripts differ, and so do the classes, whose "
                                                            "Greek letters Latin drawings stand in for; but what do "
                                                            "the five pairs look like?"),
    "b": Leak(NOTHING, "a leak where there is none", "no pair is the same character, and no script stands on both "
                                                     "sides"),
    "c": Leak(SCRIPTS, "a script on both sides", "the characters differ; which scripts has the title on both sides?"),
    "d": Leak(TURNED, "a turned class taken for a new one", "turn the test pictures by a quarter; turning is a way "
                                                            "to more classes, but within one side of the split"),
    "e": Leak(CLASSES, "other drawings taken for other classes", "the pictures differ, but are they other characters?"),
}


def check_leaks(answer: object) -> str:
    """06.2: what each of five splits shares."""
    given = filled(answer, dict.fromkeys(LEAKS, SHARED))
    if wrong := [key for key, leak in LEAKS.items() if given[key] != leak.verdict]:
        raise all_of([Misconception(LEAKS[key].name, look_at(key, LEAKS[key].why)) for key in wrong])
    return ("One split is clean. The lists of class names are disjoint in all five: the pictures tell. (In a, "
            "Latin drawings play the Greek letters.)")


# ---------------------------------------------------------------- 06.6

class Claim(NamedTuple):
    """A claim on numbers of the lesson. verdict, name, why, slip: as in `entries.misjudged`."""

    verdict: str
    name: str
    why: str
    slip: str | None = None


CLAIMS = {
    "a": Claim("open", "the larger mean wins", "the table has RFS less MAML; does its interval include 0?", slip="yes"),
    "b": Claim("yes", "overlapping intervals taken for no difference", "Baseline++ less MAML pairs the seeds; on "
               "which side of 0 does its interval lie?", slip="open"),
    "c": Claim("no", "the sign of a difference", "the table has Baseline++ less ProtoNet; on which side of 0 does its "
               "interval lie?", slip="yes"),
    "d": Claim("no", "an interval over episodes taken for one over seeds", "the 1,000 episodes were drawn anew, the "
               "network was trained once; in section 4 ProtoNet (running) has 84.5 ± 2.3 over five trainings"),
    "e": Claim("no", "the best of many taken for a typical one", "the best of twenty equals is above their skill by "
               "luck, and new episodes do not know which one was lucky"),
}


def check_verdicts(answer: object) -> str:
    """06.6: what the rows of the study bear out, and what no interval covers."""
    entries.check_claims(answer, CLAIMS)
    return ("Three paired intervals, and two numbers that promise more than they cover. On these scripts the plain "
            "rivals lie below ProtoNet (RFS -9.9 ± 4.1 points, Baseline++ -4.8 ± 2.1). RFS is not told from MAML; "
            "Baseline++ is above it, with three times the steps. All trainings were short; the study's page says how "
            "short.")
