"""Checks of lesson 04 on what code computes, where two quadratics are solved, and what a study bears out."""

from __future__ import annotations

from typing import NamedTuple

from mlcourse.exercises.entries import SIGN, VERDICTS, filled, misjudged, numbers
from mlcourse.exercises.framework import Misconception, NotYet, all_of, look_at

# ---------------------------------------------------------------- 04.2

FIRST, SECOND, TERM = "first order", "second order", "the missing term"
CHOICES = (FIRST, SECOND, TERM)
WASTE = "d"         # asks for a graph through which no gradient runs
LOST, HALF, BOTH = "a lost identity", "the other half", "a half for the whole"


class Way(NamedTuple):
    """What one of the functions returns, and what to look at."""

    returns: str
    why: str


WAYS = {
    "a": Way(FIRST, "g has no graph, so step counts it as a constant, and the derivative of phi by theta is the "
                    "identity"),
    "b": Way(SECOND, "g carries its graph, so the derivative runs through it and finds H: this is MAML"),
    "c": Way(TERM, "theta was detached in the step, and reaches phi only through g: of I - alpha * H the I is gone"),
    "d": Way(FIRST, "phi was cut from its past before the query gradient was taken at it"),
}


def check_ways(answer: object) -> str:
    """04.2: what each of four functions returns."""
    given = filled(answer, dict.fromkeys(WAYS, CHOICES))
    if wrong := [misreading(key, given[key]) for key, way in WAYS.items() if given[key] != way.returns]:
        raise all_of(wrong)
    return (f"One flag and one detach make three algorithms of the same lines, and none of them raises an error; "
            f"{WASTE} even keeps a graph that it never uses.")


def misreading(key: str, said: str) -> Misconception:
    """What is behind a wrong verdict on one of the functions."""
    right, why = WAYS[key]
    if right == FIRST and said == TERM:
        return Misconception(HALF, look_at(key, f"{why}; so {key} keeps u and drops the part with H"))
    if right == SECOND and said == TERM:
        return Misconception(BOTH, look_at(key, f"{why}; theta reaches phi through p as well, so u is there too"))
    name = {TERM: LOST, SECOND: "create_graph=True read as first order", FIRST: "first order read as second"}[right]
    return Misconception(name, look_at(key, why))


# ---------------------------------------------------------------- 04.3

RATE = 0.2


class Quadratic(NamedTuple):
    """½ a (w - c)² of one task, in one weight."""

    a: float
    c: float


FIRST_WEIGHT = (Quadratic(4.0, 1.0), Quadratic(1.0, 0.0))
SECOND_WEIGHT = (Quadratic(1.0, 1.0), Quadratic(1.0, 0.0))
PAIRS = {1: FIRST_WEIGHT, 2: SECOND_WEIGHT}
KEYS = ("joint 1", "joint 2", "MAML 1", "MAML 2")


def balance(tasks: tuple[Quadratic, ...], power: int, curved: bool = True, alpha: float = RATE) -> float:
    """The mean of the minima with the weights (1 - αa)^power a; without the factor a where not `curved`."""
    weights = [(1 - alpha * each.a) ** power * (each.a if curved else 1) for each in tasks]
    return sum(w * each.c for w, each in zip(weights, tasks, strict=True)) / sum(weights)


def truth(key: str) -> float:
    """The coordinate that a key of the exercise asks for."""
    algorithm, weight = key.split()
    return balance(PAIRS[int(weight)], 2 if algorithm == "MAML" else 0)


ROUTES = (      # where a mistake leads: of which algorithm, the power and whether curved, its name, and what to look at
    ("joint", 0, False, "the mean of the minima", "a steep task pulls harder: its gradient is its curvature times the "
     "distance"),
    ("MAML", 1, True, "what FOMAML solves", "the meta-gradient has the factor 1 - alpha * curvature twice: once in the "
     "distance that is left after the step, once from the chain rule"),
    ("MAML", 0, True, "what joint training solves", "MAML judges the loss after the step"),
    ("MAML", 2, False, "the curvature is forgotten", "the loss after the step still has the curvature as a factor"),
)


def check_rests(answer: object) -> str:
    """04.3: two coordinates of two solutions."""
    given = numbers(answer, KEYS)
    off = [key for key in KEYS if not near(given[key], truth(key))]
    found = [Misconception(name, look_at(key, why)) for key in off
             for algorithm, power, curved, name, why in ROUTES
             if key.startswith(algorithm) and near(given[key], balance(PAIRS[int(key[-1])], power, curved))]
    if found:
        raise all_of(found)
    if off:
        what = "the gradient of the mean loss after the step" if off[0].startswith("MAML") else "the mean gradient"
        raise NotYet(f"{off[0]} is not {given[off[0]]:g}; set {what} of the two tasks to 0 and solve for the weight.")
    return ("With these curvatures joint training stays near the steep task, and MAML leaves it to the step. Where the "
            "curvatures agree, so do the solutions.")


def near(one: float, other: float) -> bool:
    """Whether a number is meant: to a thousandth."""
    return abs(one - other) <= 1e-3


# ---------------------------------------------------------------- 04.5

class Claim(NamedTuple):
    """That arm `one` beats arm `other` on new scripts. verdict, name, why, slip: as in `entries.misjudged`."""

    one: str
    other: str
    verdict: str
    name: str
    why: str
    slip: str


CLAIMS = {
    "a": Claim("MAML", "FOMAML", "yes", "overlapping intervals read as no difference",
               "the arms share seeds and episodes, and the interval of their difference lies above zero", "open"),
    "b": Claim("MAML", "ANIL", "no", SIGN, "the interval of the first arm less the second lies below zero", "yes"),
    "c": Claim("MAML", "BOIL", "open", "the larger mean wins", "the interval of the paired difference includes zero",
               "yes"),
}
LIMIT = 10         # megabytes, with 20 inner steps
FITS = "FOMAML"     # the most accurate of the arms that need no more and whose inner loop moves every weight
LARGE = ("maml", "boil")
PARTIAL = ("anil", "boil")
ARMS = ("maml", "fomaml", "reptile", "anil", "boil")
TOO_LARGE = "an arm that does not fit"
IN_PART = "an inner loop that moves a part"
WORSE = "not the best of those that fit"


def check_bill(answer: object) -> str:
    """04.5: three verdicts, and the arm for a memory limit."""
    given = filled(answer, dict.fromkeys(CLAIMS, VERDICTS) | {"arm": ARMS})
    wrong, arm = misjudged(given, CLAIMS), given["arm"]
    if arm in LARGE:
        wrong.append(Misconception(TOO_LARGE, f"look at arm: with 20 inner steps it needs more than {LIMIT} MB."))
    if arm in PARTIAL:
        wrong.append(Misconception(IN_PART, "look at arm: its inner loop leaves some of the weights where they are."))
    if arm not in (*LARGE, *PARTIAL, FITS.lower()):
        wrong.append(Misconception(WORSE, "look at arm: another one moves every weight and fits as well, and is right "
                                   "more often."))
    if wrong:
        raise all_of(wrong)
    return ("Three paired intervals over five seeds; and the limit costs accuracy: it rules out MAML, which beats the "
            "arm that is left.")
