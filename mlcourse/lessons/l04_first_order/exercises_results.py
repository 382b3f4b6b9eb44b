"""The exercises of lesson 04 on what code computes, where two quadratics are solved, and what a study bears out."""

from __future__ import annotations

from mlcourse.exercises.entries import ACROSS, LEFT_OPEN, SIGN
from mlcourse.exercises.framework import Exercise, edited
from mlcourse.lessons.l04_first_order.checks_results import (BOTH, CLAIMS, FITS, HALF, IN_PART, LIMIT, LOST,
                                                             TOO_LARGE, WAYS, WORSE, check_bill, check_rests,
                                                             check_ways, truth)
from mlcourse.lessons.l04_first_order.ways import WAYS as SOURCE

# ---------------------------------------------------------------- 04.2

SAYS = '''\
returns = {      # "first order", "second order" or "the missing term"
    "a": ...,
    "b": ...,
    "c": ...,
    "d": ...,
}'''
RIGHT = {key: way.returns for key, way in WAYS.items()}


def said(**changed: str) -> str:
    """The verdicts with these answers, the others right."""
    edits = [(f'"{key}": ...', f'"{key}": "{changed.get(key, right)}"') for key, right in RIGHT.items()]
    return edited(SAYS, *edits)


ways = Exercise(
    id="04.2", title="Four functions called FOMAML", answer="returns", difficulty=2, minutes=4, given=SOURCE,
    stub=SAYS, solution_source=said(), check=check_ways,
    hints=(
        "In each function follow theta to the query loss: by p in step, and by g. Which of the two ways is cut?",
        "A way is cut by detach(), and the way through g is open only with create_graph=True. Both open: I - alpha * "
        "H; the first alone: I; the second alone: -alpha * H.",
        "a has only the way through p, b has both, c has only the one through g. d takes its gradient at a fresh phi, "
        "so that no way is needed.",
    ),
    wrong=(
        (said(b="first order"), "create_graph=True read as first order"),
        (said(a="second order"), "first order read as second"),
        (said(c="first order"), LOST),
        (said(c="second order"), LOST),
        (said(d="second order"), "first order read as second"),
        (said(a="the missing term"), HALF),
        (said(d="the missing term"), HALF),
        (said(b="the missing term"), BOTH),
        (said(a="second order", b="first order"), "first order read as second, create_graph=True read as first order"),
        (said(c="first order", d="the missing term"), f"{LOST}, {HALF}"),
    ),
    mutations=tuple((f'    "{key}": "{RIGHT[key]}",', f'    "{key}": "{wrong}",') for key, wrong in (
        ("a", "the missing term"), ("b", "the missing term"), ("c", "first order"), ("d", "second order"))))

# ---------------------------------------------------------------- 04.3

RESTS = '''\
rests = {       # alpha = 0.2; each a number
    "joint 1": ...,
    "joint 2": ...,
    "MAML 1": ...,
    "MAML 2": ...,
}'''


def solved(**changed: str) -> str:
    """The coordinates with these answers, the others right; "joint 1" goes by joint1."""
    keys = [line.split('"')[1] for line in RESTS.splitlines()[1:-1]]
    values = {key: changed.get(key.replace(" ", ""), f"{truth(key):g}") for key in keys}
    return edited(RESTS, *((f'"{key}": ...', f'"{key}": {value}') for key, value in values.items()))


rests = Exercise(
    id="04.3", title="Two valleys on paper", answer="rests", difficulty=3, minutes=5,
    stub=RESTS, solution_source=solved(), check=check_rests,
    hints=(
        "Each weight is a problem of its own. For the first: two parabolas, curvature 4 with its minimum at 1, and "
        "curvature 1 with its minimum at 0.",
        "Joint training: the sum of the two slopes is 0. MAML: a step of rate alpha multiplies the distance to a "
        "minimum by 1 - alpha * curvature; put that into the losses, and only then take the slopes.",
        "Joint: 4 * (x - 1) + x = 0. MAML: 4 * (1 - 0.8)**2 * (x - 1) + (1 - 0.2)**2 * x = 0. For the second weight "
        "both curvatures are 1.",
    ),
    wrong=(
        (solved(joint1="0.5"), "the mean of the minima"),
        (solved(MAML1="0.5"), "what FOMAML solves"),
        (solved(MAML1="0.8"), "what joint training solves"),
        (solved(MAML1="0.04 / 0.68"), "the curvature is forgotten"),
        (solved(joint1="0.5", MAML1="0.8"), "the mean of the minima, what joint training solves"),
    ),
    mutations=(
        ('    "joint 1": 0.8,', '    "joint 1": 0.2,'),
        ('    "joint 2": 0.5,', '    "joint 2": 0.4,'),
        ('    "MAML 1": 0.2,', '    "MAML 1": 0.8,'),
        ('    "MAML 2": 0.5,', '    "MAML 2": 0.2,'),
    ))

# ---------------------------------------------------------------- 04.5

BILL = """\
verdicts = {      # on new scripts: "yes", "no" or "open"
""" + "".join(f'    "{key}": ...,     # {claim.one} beats {claim.other}\n' for key, claim in CLAIMS.items()) + f"""\
    # the most accurate arm that moves every weight in the inner loop,
    # if 20 inner steps must fit into {LIMIT} MB:
    "arm": ...,
}}"""
VERDICTS = {**{key: claim.verdict for key, claim in CLAIMS.items()}, "arm": FITS}


def judged(**changed: str) -> str:
    """The verdicts with these answers, the others right."""
    edits = [(f'"{key}": ...', f'"{key}": "{changed.get(key, right)}"') for key, right in VERDICTS.items()]
    return edited(BILL, *edits)


def line(key: str, verdict: str) -> str:
    """The line of a verdict."""
    return next(each for each in judged(**{key: verdict}).split("\n") if each.startswith(f'    "{key}"'))


bill = Exercise(
    id="04.5", title="Read the bill", answer="verdicts", difficulty=2, minutes=3,
    stub=BILL, solution_source=judged(), check=check_bill,
    hints=(
        "apart(one, other) gives a paired interval. Where does it lie?",
        "For the arm: first strike out whose inner loop moves a part of the network alone, then whoever needs more "
        "memory with 20 inner steps than there is.",
        "Print apart(one, other).text(sign=True) for a to c. Of the two arms that are left take the more accurate one.",
    ),
    wrong=(
        (judged(a="open"), CLAIMS["a"].name),
        (judged(a="no"), SIGN),
        (judged(b="yes"), SIGN),
        (judged(b="open"), LEFT_OPEN),
        (judged(c="yes"), CLAIMS["c"].name),
        (judged(c="no"), ACROSS),
        (judged(a="no", b="yes", c="no"), f"{SIGN}, {ACROSS}"),
        (judged(arm="MAML"), TOO_LARGE),
        (judged(arm="ANIL"), IN_PART),
        (judged(arm="BOIL"), f"{TOO_LARGE}, {IN_PART}"),
        (judged(arm="Reptile"), WORSE),
        (judged(a="open", arm="MAML"), f"{CLAIMS['a'].name}, {TOO_LARGE}"),
    ),
    mutations=tuple((line(key, right), line(key, wrong)) for key, right, wrong in (
        ("a", CLAIMS["a"].verdict, "no"), ("b", CLAIMS["b"].verdict, "open"), ("c", CLAIMS["c"].verdict, "no"),
        ("arm", FITS, "Reptile"))))
