"""The exercise of lesson 09 on what its study bears out."""

from __future__ import annotations

from mlcourse.exercises.entries import every_misreading, verdict_line, with_verdicts
from mlcourse.exercises.framework import Exercise
from mlcourse.lessons.l09_memory.checks_results import CLAIMS, check_verdicts

VERDICTS = '''\
verdicts = {     # "yes", "no" or "open"
''' + "".join(f'    # {claim.says}\n    "{key}": ...,\n' for key, claim in CLAIMS.items()) + "}"

verdicts = Exercise(
    id="09.6", title="What does a memory add?", answer="verdicts", difficulty=2, minutes=3,
    stub=VERDICTS, solution_source=with_verdicts(VERDICTS, CLAIMS), check=check_verdicts,
    hints=(
        "apart(one, other, presentation) prints the first arm less the second, paired over seeds: where does the "
        "interval lie?",
        "Above 0: the first is better. Below 0: worse. Across 0: open.",
        'Such as apart("MANN with strength", "MANN", 2); call it once for each of the four claims.',
    ),
    wrong=every_misreading(VERDICTS, CLAIMS),
    mutations=tuple((verdict_line(VERDICTS, CLAIMS, key, claim.verdict),
                     verdict_line(VERDICTS, CLAIMS, key, "no" if claim.verdict != "no" else "yes"))
                    for key, claim in CLAIMS.items()))
