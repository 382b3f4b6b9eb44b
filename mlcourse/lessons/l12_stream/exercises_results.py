"""The exercise of lesson 12 on numbers: what the study bears out."""

from __future__ import annotations

from mlcourse.exercises.entries import verdict_line, with_verdicts
from mlcourse.exercises.framework import Exercise
from mlcourse.lessons.l12_stream.checks_results import (ALIKE, ALWAYS, CLAIMS, ELSEWHERE, LARGER, OVERLAP, SWAPPED,
                                                        check_verdicts)

VERDICTS = '''\
verdicts = {     # "yes" where the interval of apart lies above 0, "no" below, "open" across
''' + "".join(f'    # {claim.says}\n    "{key}": ...,\n' for key, claim in CLAIMS.items()) + "}"

WRONG = (
    *(({key: verdict}, ", ".join(ways[0])) for key, claim in CLAIMS.items() for verdict, ways in claim.misread.items()),
    ({"a": "no", "d": "yes", "e": "yes"}, SWAPPED),                             # of every pair
    ({"b": "yes", "c": "yes"}, LARGER),                                         # whatever the interval
    ({"a": "open", "e": "open"}, OVERLAP),                                      # of two means
    ({"c": "yes", "e": "yes"}, ALWAYS),                                         # 40 samples throughout
    ({"d": "yes", "e": "open"}, ELSEWHERE),                                     # CONFLICT throughout
    ({"a": "open", "c": "no"}, ELSEWHERE),                                      # LOOKS throughout
    (dict.fromkeys("abcde", "open"), OVERLAP),
    (dict.fromkeys("abcde", "yes"), ALIKE),
    (dict.fromkeys("abcde", "no"), ALIKE),
    ({"c": "yes", "d": "yes", "e": "yes"}, f"{ALWAYS}, {ELSEWHERE}"),           # 40 samples and CONFLICT throughout
    ({"b": "yes", "c": "yes", "e": "yes"}, f"{LARGER}, {ALWAYS}"),              # 40 samples, whatever the interval
    ({"a": "no", "b": "no", "c": "no", "d": "yes", "e": "yes"}, f"{LARGER}, {SWAPPED}"),
)

verdicts = Exercise(
    id="12.6", title="Which strategy, for which stream?", answer="verdicts", difficulty=2, minutes=4,
    stub=VERDICTS, solution_source=with_verdicts(VERDICTS, CLAIMS), check=check_verdicts,
    hints=(
        "apart(one, other, stream, samples) is the accuracy of the first less that of the second, paired over seeds: "
        "where does the interval lie?",
        "Above 0: yes. Below 0: no. Across 0: open, whichever mean is larger.",
        "Call apart for each of the claims, with the names as they stand in them, and CONFLICT or LOOKS.",
    ),
    wrong=tuple((with_verdicts(VERDICTS, CLAIMS, **given), name) for given, name in WRONG),
    mutations=tuple((verdict_line(VERDICTS, CLAIMS, key, claim.verdict),
                     verdict_line(VERDICTS, CLAIMS, key, "no" if claim.verdict != "no" else "yes"))
                    for key, claim in CLAIMS.items()))
