"""The exercises of lesson 07 on what is worked out on paper, what a script does, and what a study bears out."""

from __future__ import annotations

from functools import partial

from mlcourse.exercises.entries import every_misreading, number_line, verdict_line, with_numbers, with_verdicts
from mlcourse.exercises.framework import Exercise, edited
from mlcourse.lessons.l07_optimiser.broken import SCRIPT
from mlcourse.lessons.l07_optimiser.checks_results import (CLAIMS, FIRST, MARKS, NEVER, PILES, RIGHT, check_descents,
                                                           check_marks, check_verdicts, truths)

# ---------------------------------------------------------------- 07.1

DESCENTS = '''\
descents = {            # curvatures 1 and 9; each a number
    "rate": ...,        # without momentum: the α whose slowest direction shrinks most
    "factor": ...,      # what a step at this α multiplies the slowest direction's error by
    "fast factor": ..., # the same with the best momentum
    "steps": ...,       # steps to a thousandth of the error, without momentum
    "fast steps": ...,  # with it, if every step had that factor; ln 1000 = 6.9
}'''

NUMBERS = {key: f"{value:g}" for key, value in truths().items()}
solved = partial(with_numbers, DESCENTS, NUMBERS)

descents = Exercise(
    id="07.1", title="The best rate on paper", answer="descents", difficulty=2, minutes=6,
    stub=DESCENTS, solution_source=solved(), check=check_descents,
    hints=(
        "Draw |1 - α| and |1 - 9α| over α. The slowest direction is the larger one; where is it least?",
        "There both ends shrink alike, one from each side of 0: 1 - α = 9α - 1. For the steps solve factor**n = "
        "1/1000: n = ln 1000 / -ln factor, rounded up.",
        "α = 2/10, the factor 1 - 0.2. With momentum the root of κ is 3: (3 - 1)/(3 + 1). Steps: 6.9 / 0.223 and "
        "6.9 / 0.693.",
    ),
    wrong=(
        (solved(rate="2 / 9", factor="1.0"), "the edge of divergence"),
        (solved(rate="1 / 9", factor="8 / 9"), "tuned for the steepest direction alone"),
        (solved(rate="1.0"), "tuned for the flattest direction alone"),
        (solved(rate="0.25"), "the rate that goes with momentum"),
        (solved(factor="-0.64"), "the factor of the loss"),
        (solved(fast_factor="0.8"), "the root is forgotten"),
        (solved(fast_factor="0.25"), "the factor of the loss"),
        (solved(fast_steps="31"), "no gain from momentum"),
        (solved(fast_steps="15"), "the run from rest"),
        (solved(steps="34.5"), "no logarithm of the factor"),
        (solved(steps="35", fast_steps="14"), "no logarithm of the factor"),
        (solved(fast_steps="6.9 / 0.5"), "no logarithm of the factor"),
        (solved(rate="2 / 9", fast_factor="0.8"), "the edge of divergence, the root is forgotten"),
    ),
    mutations=tuple((number_line(DESCENTS, NUMBERS, key, NUMBERS[key]), number_line(DESCENTS, NUMBERS, key, value))
                    for key, value in (
        ("rate", "0.1"), ("factor", "0.9"), ("fast factor", "0.6"), ("steps", "62"), ("fast steps", "20"))))

# ---------------------------------------------------------------- 07.3

MARKED = f'''\
marks = {{      # of each marked line: "{RIGHT}", "{NEVER}",
              # "{PILES}" or "{FIRST}"
''' + "".join(f'    "{key}": ...,\n' for key in MARKS) + "}"
DOES = {key: mark.does for key, mark in MARKS.items()}


def marked(**changed: str) -> str:
    """The marks with these answers, the others right."""
    return edited(MARKED, *((f'"{key}": ...', f'"{key}": "{changed.get(key, does)}"') for key, does in DOES.items()))


marks = Exercise(
    id="07.3", title="Spot the bug: it runs", answer="marks", difficulty=2, minutes=5, given=SCRIPT,
    stub=MARKED, solution_source=marked(), check=check_marks,
    hints=(
        "Three lines are wrong, two are right. For each ask: who finds these weights, what is in .grad, and at which "
        "step does the next stretch begin?",
        "A module finds its parts where they are attributes or in a ModuleList. backward() adds. stretch returns where "
        "the race stands.",
        "a hides the cells from Adam, before d there is no zero_grad, e runs the first 20 steps for ever.",
    ),
    wrong=(
        (marked(a=RIGHT), "cells in a plain list"),
        (marked(d=RIGHT), "no zero_grad"),
        (marked(e=RIGHT), "back to the start at a truncation"),
        (marked(c=FIRST), "a fault where there is none"),
        (marked(a=RIGHT, b=NEVER), "cells in a plain list, a fault where there is none"),
    ),
    mutations=tuple((f'    "{key}": "{DOES[key]}",', f'    "{key}": "{wrong}",') for key, wrong in (
        ("a", PILES), ("b", NEVER), ("c", FIRST), ("d", FIRST), ("e", RIGHT))))

# ---------------------------------------------------------------- 07.4

VERDICTS = '''\
verdicts = {     # "yes", "no" or "open"
''' + "".join(f'    # {claim.says}\n    "{key}": ...,\n' for key, claim in CLAIMS.items()) + "}"

verdicts = Exercise(
    id="07.4", title="Where may you use it?", answer="verdicts", difficulty=2, minutes=4,
    stub=VERDICTS, solution_source=with_verdicts(VERDICTS, CLAIMS), check=check_verdicts,
    hints=(
        "Each line is the learned optimiser less the other one: where does the interval lie?",
        "Below 0: the learned one is better. Above 0: worse. Across 0: open.",
        "The five intervals are among the lines below the table; find the claim's column and rival.",
    ),
    wrong=every_misreading(VERDICTS, CLAIMS),
    mutations=tuple((verdict_line(VERDICTS, CLAIMS, key, claim.verdict),
                     verdict_line(VERDICTS, CLAIMS, key, "no" if claim.verdict != "no" else "yes"))
                    for key, claim in CLAIMS.items()))
