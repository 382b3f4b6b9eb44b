"""The exercise of lesson 17 on what its study bears out on glyphs."""

from __future__ import annotations

from mlcourse.exercises.entries import every_misreading, verdict_line, with_verdicts
from mlcourse.exercises.framework import Exercise
from mlcourse.lessons.l17_context.checks_results import CLAIMS, check_verdicts

VERDICTS = '''\
verdicts = {     # "yes" where the interval of apart lies above 0, "no" below, "open" across
''' + "".join(f'    # {claim.says}\n    "{key}": ...,\n' for key, claim in CLAIMS.items()) + "}"

verdicts = Exercise(
    id="17.5", title="Did the context do it?", answer="verdicts", difficulty=2, minutes=4,
    stub=VERDICTS, solution_source=with_verdicts(VERDICTS, CLAIMS), check=check_verdicts,
    hints=(
        "apart(one, other, shot) is the first arm less the second, paired over seeds: where does the interval lie?",
        "Above 0: yes. Below 0: no. Across 0: open, whichever mean is larger.",
        "Print apart(…).text(2, sign=True) for each of the four claims.",
    ),
    wrong=every_misreading(VERDICTS, CLAIMS),
    mutations=tuple((verdict_line(VERDICTS, CLAIMS, key, claim.verdict),
                     verdict_line(VERDICTS, CLAIMS, key, "no" if claim.verdict != "no" else "yes"))
                    for key, claim in CLAIMS.items()))
