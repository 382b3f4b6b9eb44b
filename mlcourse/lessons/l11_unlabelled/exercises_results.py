"""The exercises of lesson 11 on numbers: how far a distractor pulls, and what the study bears out."""

from __future__ import annotations

from functools import partial

from mlcourse.exercises.entries import every_misreading, number_line, verdict_line, with_numbers, with_verdicts
from mlcourse.exercises.framework import Exercise
from mlcourse.lessons.l11_unlabelled.checks_results import CLAIMS, check_pull, check_verdicts, truths

# ---------------------------------------------------------------- 11.2

PULL = '''\
pull = {               # labelled drawings at 0 (class 0) and 4 (class 1), one stray at -2
    "share": ...,      # the stray's share of class 0, to two digits
    "prototype": ...,  # where the prototype of class 0 goes in one step
    "border": ...,     # where the border between the classes, at 2 before, goes
    "many": ...,       # and to where it tends with ever more strays, class 1 staying at 4
}'''

NUMBERS = {key: f"{value:.4f}" for key, value in truths().items()}
solved = partial(with_numbers, PULL, NUMBERS)

pull = Exercise(
    id="11.2", title="How far a stray pulls", answer="pull", difficulty=1, minutes=3,
    stub=PULL, solution_source=solved(), check=check_pull,
    hints=(
        "Squared distances of the stray: 4 to class 0, 36 to class 1. What does a softmax of -4 and -36 say?",
        "Its share of class 0 is 1, but for a trace. The new prototype is the mean of 0 and -2.",
        "1; -1; half way between -1 and 4; half way between -2 and 4.",
    ),
    wrong=(
        (solved(share="0"), "a distractor is left out by itself"),
        (solved(share="0.98"), "the length, not its square"),
        (solved(share="0.5"), "a distractor is shared out evenly"),
        (solved(share="0.9"), "shares by distance, without exp"),
        (solved(prototype="-2"), "the labelled drawing is left out"),
        (solved(prototype="-2 / 3"), "the prototype counted beside its drawing"),
        (solved(border="2"), "the border stays"),
        (solved(many="-2"), "the prototype in place of the border"),
        (solved(many="float('-inf')"), "no end to the pull"),
        (solved(share="0.5", border="2"), "a distractor is shared out evenly, the border stays"),
    ),
    mutations=tuple((number_line(PULL, NUMBERS, key, NUMBERS[key]), number_line(PULL, NUMBERS, key, value))
                    for key, value in (("share", "0.99"), ("prototype", "-0.99"), ("border", "1.2"), ("many", "0"))))

# ---------------------------------------------------------------- 11.5

VERDICTS = '''\
verdicts = {     # "yes" where the interval of apart(…).text(sign=True) lies above 0, "no" below,
                 # "open" across; balance "5" is concentration 5
''' + "".join(f'    # {claim.says}\n    "{key}": ...,\n' for key, claim in CLAIMS.items()) + "}"

verdicts = Exercise(
    id="11.5", title="Which arm, for which pool?", answer="verdicts", difficulty=2, minutes=3,
    stub=VERDICTS, solution_source=with_verdicts(VERDICTS, CLAIMS), check=check_verdicts,
    hints=(
        "apart(one, other, distractors, balance) is the first arm less the second, paired over seeds: where does the "
        "interval lie?",
        "Above 0: yes. Below 0: no. Across 0: open, whichever mean is larger.",
        "Call apart for each of the claims, with the names as they stand in them.",
    ),
    wrong=every_misreading(VERDICTS, CLAIMS),
    mutations=tuple((verdict_line(VERDICTS, CLAIMS, key, claim.verdict),
                     verdict_line(VERDICTS, CLAIMS, key, "no" if claim.verdict != "no" else "yes"))
                    for key, claim in CLAIMS.items()))
