"""The exercise of lesson 10 on claims: what the study bears out."""

from __future__ import annotations

from mlcourse.exercises.entries import every_misreading, verdict_line, with_verdicts
from mlcourse.exercises.framework import Exercise
from mlcourse.lessons.l10_data.checks_claims import CLAIMS, check_verdicts

VERDICTS = '''\
verdicts = {     # "yes", "no" or "open"
''' + "".join(f'    # {claim.says}\n    "{key}": ...,\n' for key, claim in CLAIMS.items()) + "}"
OTHER = {"yes": "open", "no": "yes", "open": "yes"}

verdicts = Exercise(
    id="10.4", title="Does a generator help?", answer="verdicts", difficulty=2, minutes=4,
    stub=VERDICTS, solution_source=with_verdicts(VERDICTS, CLAIMS), check=check_verdicts,
    hints=(
        "apart(one, other, on) prints the paired difference of two arms; where does its interval lie?",
        "Above 0: yes. Below 0: no. Across 0: open, however far apart the means are.",
        "One call for each claim, with the two names in their order.",
    ),
    wrong=every_misreading(VERDICTS, CLAIMS),
    mutations=tuple((verdict_line(VERDICTS, CLAIMS, key, claim.verdict),
                     verdict_line(VERDICTS, CLAIMS, key, OTHER[claim.verdict])) for key, claim in CLAIMS.items()))
