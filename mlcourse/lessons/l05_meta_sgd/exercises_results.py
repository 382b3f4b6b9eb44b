"""The exercise of lesson 05 on results: what paired intervals allow to say, and which arm one may choose."""

from __future__ import annotations

from mlcourse.exercises.framework import Exercise, edited
from mlcourse.lessons.l05_meta_sgd.checks_results import (BEST_ON_VALIDATION, BY_TARGET, CLAIMS,
                                                          NOT_THE_BEST, OTHER_WAY, check_verdicts)

VERDICTS = """\
verdicts = {      # a to d: "yes", "no" or "open"
    "a": ...,     # on new scripts, C beats E: pretraining first was worth something
    "b": ...,     # on new scripts, A beats B: without pretraining, learned rates pay
    "c": ...,     # on the digits, C beats D: with pretraining, learned rates pay
    "d": ...,     # on the digits, A beats C: pretraining does harm
    "arm": ...,   # the letter to use on the digits, if you have no label of theirs
}"""
RIGHT = {**{key: claim.verdict for key, claim in CLAIMS.items()}, "arm": BEST_ON_VALIDATION}


def judged(**answers: str) -> str:
    """The verdicts with these answers, the others right."""
    edits = [(f'"{key}": ...', f'"{key}": "{answers.get(key, right)}"') for key, right in RIGHT.items()]
    return edited(VERDICTS, *edits)


def line(key: str, value: str) -> str:
    """The line of a solution that gives this answer."""
    return next(each for each in judged(**{key: value}).split("\n") if each.startswith(f'    "{key}"'))


verdicts = Exercise(
    id="05.4", title="What may you say, and which arm do you take?", answer="verdicts", difficulty=2, minutes=4,
    stub=VERDICTS, solution_source=judged(), check=check_verdicts,
    hints=(
        'Compare no two rows of the table by eye: apart("C", "E", "new scripts") subtracts seed from seed.',
        "An interval such as +2.0 ± 3.0 reaches from -1 to 5 and includes zero: open. One of -9.0 ± 1.0 lies below "
        "zero: no. Two of the four are open.",
        "An arm chosen by its accuracy on the digits has used their labels, and the new scripts are test data as well. "
        "The validation scripts are there to choose by: take the arm that is best on them.",
    ),
    wrong=(
        (judged(a="yes"), CLAIMS["a"].name), (judged(b="open"), CLAIMS["b"].name), (judged(c="open"), CLAIMS["c"].name),
        (judged(d="yes"), CLAIMS["d"].name), (judged(arm="D"), BY_TARGET), (judged(arm="C"), NOT_THE_BEST),
        (judged(a="yes", d="yes"), f"{CLAIMS['a'].name}, {CLAIMS['d'].name}"), (judged(c="yes"), OTHER_WAY),
        (judged(b="open", arm="D"), f"{CLAIMS['b'].name}, {BY_TARGET}"),
    ),
    mutations=tuple((line(key, RIGHT[key]), line(key, wrong)) for key, wrong in (
        ("a", "no"), ("b", "no"), ("c", "yes"), ("d", "no"), ("arm", "B"))))
