"""The exercises of lesson 08 on numbers: what cosines allow, and what the study bears out."""

from __future__ import annotations

from functools import partial

from mlcourse.exercises.entries import every_misreading, number_line, verdict_line, with_numbers, with_verdicts
from mlcourse.exercises.framework import Exercise
from mlcourse.lessons.l08_compare.checks_results import (CLAIMS, FROM_ZERO, INVERSE, ITSELF, check_bound,
                                                         check_verdicts, truths)

# ---------------------------------------------------------------- 08.3

BOUND = '''\
bound = {               # one support sample for each class; numbers to two digits
    "share": ...,       # 5-way, τ = 1: the largest share of attention that a sample can get
    "loss": ...,        # 5-way, τ = 1: what -log p cannot fall below
    "share of 20": ..., # 20-way, τ = 1: the largest share
    "tau": ...,         # 5-way: the τ at which the largest share is 0.99
}'''

NUMBERS = {key: f"{value:.4f}" for key, value in truths().items()}
solved = partial(with_numbers, BOUND, NUMBERS)

bound = Exercise(
    id="08.3", title="The most that cosines can say", answer="bound", difficulty=2, minutes=4,
    stub=BOUND, solution_source=solved(), check=check_bound,
    hints=(
        "What is the best case? Which cosine has the right sample then, and which have its four rivals?",
        "One cosine is 1, the others are -1: the share is exp(1)/(exp(1) + 4 exp(-1)), which is "
        "exp(2)/(exp(2) + 4). The loss is minus its logarithm.",
        "For 20-way exp(2)/(exp(2) + 19). For τ solve exp(2/τ)/(exp(2/τ) + 4) = 0.99: exp(2/τ) = 396, so τ = 2/ln 396.",
    ),
    wrong=(
        (solved(share="0.405"), FROM_ZERO), (solved(share_of_20="0.125"), FROM_ZERO), (solved(tau="0.167"), FROM_ZERO),
        (solved(share="0.596"), ITSELF), (solved(share_of_20="0.27"), ITSELF),
        (solved(loss="0.62"), "bits in place of nats"), (solved(loss="0.351"), "1 - p in place of -log p"),
        (solved(tau="2.99"), INVERSE),
        (solved(share="0.405", tau="2.99"), f"{FROM_ZERO}, {INVERSE}"),
    ),
    mutations=tuple((number_line(BOUND, NUMBERS, key, NUMBERS[key]), number_line(BOUND, NUMBERS, key, value))
                    for key, value in (
        ("share", "1.0"), ("loss", "0.0"), ("share of 20", "0.05"), ("tau", "0.1"))))

# ---------------------------------------------------------------- 08.5

VERDICTS = '''\
verdicts = {     # "yes", "no" or "open"
''' + "".join(f'    # {claim.says}\n    "{key}": ...,\n' for key, claim in CLAIMS.items()) + "}"
OTHER = {"yes": "open", "no": "yes", "open": "yes"}

verdicts = Exercise(
    id="08.5", title="What do the numbers bear out?", answer="verdicts", difficulty=2, minutes=3,
    stub=VERDICTS, solution_source=with_verdicts(VERDICTS, CLAIMS), check=check_verdicts,
    hints=(
        "apart(one, other, shot) prints the paired difference of two arms; where does its interval lie?",
        "Above 0: yes. Below 0: no. Across 0: open, however far apart the means are.",
        "Four calls, each with the two names of the claim in their order.",
    ),
    wrong=every_misreading(VERDICTS, CLAIMS),
    mutations=tuple((verdict_line(VERDICTS, CLAIMS, key, claim.verdict),
                     verdict_line(VERDICTS, CLAIMS, key, OTHER[claim.verdict])) for key, claim in CLAIMS.items()))
