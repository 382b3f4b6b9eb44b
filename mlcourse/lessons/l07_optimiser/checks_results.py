"""Checks of lesson 07 on what is worked out on paper, what a script does, and what a study bears out."""

from __future__ import annotations

import math
from typing import NamedTuple

from mlcourse.exercises.entries import check_claims, filled, numbers
from mlcourse.exercises.framework import Misconception, NotYet, all_of, look_at
from mlcourse.lessons.l07_optimiser import study_optimisers_arms as arms

# ---------------------------------------------------------------- 07.1

LOW, HIGH = 1.0, 9.0
RUN = 15            # steps that momentum takes from rest: the roots are double, which costs a few more
KEYS = ("rate", "factor", "fast factor", "steps", "fast steps")


def truths() -> dict[str, float]:
    """The five numbers."""
    rate, root = 2 / (LOW + HIGH), math.sqrt(HIGH / LOW)
    factor, fast = 1 - rate * LOW, (root - 1) / (root + 1)
    return dict(zip(KEYS, (rate, factor, fast, steps_to(factor), steps_to(fast)), strict=True))


def steps_to(factor: float) -> float:
    """Steps to a thousandth."""
    return math.ceil(math.log(1000) / -math.log(factor))


ROUTES = (      # the key, a value that a mistake leads to, its name, and what to look at
    ("rate", 2 / HIGH, "the edge of divergence", "at this rate the steepest direction swings from side to side for "
     "ever: |1 - 9α| = 1"),
    ("rate", 1 / HIGH, "tuned for the steepest direction alone", "the steepest direction is done in one step, and the "
     "flattest keeps 8/9 of its error; go on to where both ends shrink alike"),
    ("rate", 1 / LOW, "tuned for the flattest direction alone", "at this rate the steepest direction grows eightfold a "
     "step"),
    ("rate", 4 / (math.sqrt(LOW) + math.sqrt(HIGH))**2, "the rate that goes with momentum", "that is the α that goes "
     "with the best β; without momentum the steepest direction grows at it: |1 - 9α| = 1.25"),
    ("factor", 0.8**2, "the factor of the loss", "the loss shrinks by the square; the question is about the error"),
    ("factor", 1 - 1 / HIGH, "tuned for the steepest direction alone", "put the rate at which both ends shrink alike "
     "into 1 - αH"),
    ("fast factor", (HIGH - 1) / (HIGH + 1), "the root is forgotten", "the formula has the root of κ, and that of 9 "
     "is 3"),
    ("fast factor", 0.25, "the factor of the loss", "the loss shrinks by the square; the question is about the error"),
    ("fast steps", steps_to(0.8), "no gain from momentum", "use the fast factor here"),
    ("fast steps", RUN, "the run from rest", "that is the run from rest; ask only ln 1000 over -ln of the factor"),
    *((key, value, "no logarithm of the factor", "factorⁿ = 1/1000: divide 6.9 by -ln of the factor, not by 1 less the "
       "factor") for key, factor in (("steps", 0.8), ("fast steps", 0.5))
      for value in (math.log(1000) / (1 - factor), math.ceil(math.log(1000) / (1 - factor)))),
)


RULES = ("a step of rate α turns an error e along the curvature H into (1 - αH) e",
         "with the best momentum the factor is (√κ - 1)/(√κ + 1), and κ is 9 here")


def check_descents(answer: object) -> str:
    """07.1: rate, factors and steps for curvatures 1 and 9."""
    given = numbers(answer, KEYS)
    given |= {key: abs(given[key]) for key in KEYS if "factor" in key}         # the steepest direction's is negative
    off = [key for key, right in truths().items() if not meant(key, given[key], right)]
    if found := [Misconception(name, look_at(key, why)) for key, value, name, why in ROUTES
                 if key in off and meant(key, given[key], value)]:
        raise all_of(found)
    if off:
        raise NotYet(f"{off[0]} is not {given[off[0]]:g}; {RULES[off[0].startswith('fast')]}.")
    return (f"Without momentum the steps grow with κ, with it with its root. A run from rest takes a few more than "
            f"its long-run factor says: {RUN} here.")


def meant(key: str, one: float, other: float) -> bool:
    """Whether a number is meant: steps whole or not yet rounded up, the rest to a thousandth."""
    return abs(one - other) <= (0.11 if key.endswith("steps") else 1.01e-3)


# ---------------------------------------------------------------- 07.3

RIGHT, NEVER, PILES, FIRST = CHOICES = ("right", "cells never train", "gradients pile up", "never sees step 21")


class Mark(NamedTuple):
    """What a marked line does, and what to look at."""

    does: str
    why: str


MARKS = {
    "a": Mark(NEVER, "m.parameters() finds modules, and those in a ModuleList; a plain list hides them"),
    "b": Mark(RIGHT, "a module as an attribute is found"),
    "c": Mark(RIGHT, "every run begins at the start of its functions, with a fresh state"),
    "d": Mark(PILES, "backward() adds to .grad, and nothing sets it to zero"),
    "e": Mark(FIRST, "the race goes back to its start after each stretch; to cut the graph, numbers without one are "
                     "enough, and stretch returns them"),
}


def check_marks(answer: object) -> str:
    """07.3: what each marked line does."""
    given = filled(answer, dict.fromkeys(MARKS, CHOICES))
    if wrong := [key for key, mark in MARKS.items() if given[key] != mark.does]:
        raise all_of([Misconception(misreading(given[key], MARKS[key].does), look_at(key, MARKS[key].why))
                      for key in wrong])
    return "Three mistakes, and none raises an error; a stood in published code (ikostrikov/pytorch-meta-optimizer)."


def misreading(said: str, right: str) -> str:
    """The name of a wrong mark."""
    if right == RIGHT:
        return "a fault where there is none"
    return {NEVER: "cells in a plain list", PILES: "no zero_grad", FIRST: "back to the start at a truncation"}[right]

# ---------------------------------------------------------------- 07.4


class Claim(NamedTuple):
    """A claim of the learned optimiser against a rival in a column of the lesson's table. verdict, name, why, slip: as
    in `entries.misjudged`."""

    says: str
    other: str
    column: str
    verdict: str
    name: str
    why: str
    slip: str | None = None


CLAIMS = {
    "a": Claim("500 steps: less left than SGD with momentum", arms.MOMENTUM, "left, 500", "no",
               "ahead at the horizon read as ahead for ever", "after 500 steps the paired interval lies above 0",
               slip="yes"),
    "b": Claim("500 steps: a lower mean loss than SGD with momentum", arms.MOMENTUM, "500 steps", "yes",
               "behind at the end read as behind all the way", "the mean over the steps counts the early ones as well",
               slip="no"),
    "c": Claim("start 10 times as far: a lower mean loss than SGD", arms.SGD, "start 10×", "no",
               "at home read as everywhere", "from there the paired interval lies above 0", slip="yes"),
    "d": Claim("start 10 times as far: less left than SGD", arms.SGD, "left, 10×", "yes",
               "one measure read as the other", "what is left after the last step is not the mean over the steps",
               slip="no"),
    "e": Claim("500 steps: less left than Adam with its usual β", arms.ADAM, "left, 500", "open",
               "a mean read without its interval", "the paired interval over the five seeds holds 0"),
}


def check_verdicts(answer: object) -> str:
    """07.4: five verdicts."""
    return check_claims(answer, CLAIMS)
