"""The exercise of lesson 15 on results: what the paired rows of the study bear out."""

from __future__ import annotations

from functools import partial

from mlcourse.exercises.entries import every_misreading, verdict_line, with_verdicts
from mlcourse.exercises.framework import Exercise
from mlcourse.lessons.l15_distillation.checks_results import CLAIMS, check_verdicts

# ---------------------------------------------------------------- 15.5

VERDICTS = """\
verdicts = {    # "yes", "no" or "open"
    "a": ...,   # 8 filters: soft targets beat first choices
    "b": ...,   # 8 filters: soft targets beat own labels
    "c": ...,   # 16 filters: soft targets beat own labels
    "d": ...,   # 4 filters: soft targets beat first choices
    "e": ...,   # 8 filters: AdaBN teacher's soft targets beat soft targets
}"""


judged, line = partial(with_verdicts, VERDICTS, CLAIMS), partial(verdict_line, VERDICTS, CLAIMS)


verdicts = Exercise(
    id="15.5", title="What do the rows bear out?", answer="verdicts", difficulty=2, minutes=3,
    stub=VERDICTS, solution_source=judged(), check=check_verdicts,
    hints=(
        "Compare no two rows of the table by eye: less(one, other, width) subtracts seed from seed.",
        'For a: less("soft targets", "first choices").text(); for c: less("soft targets", "own labels", 16).text().',
        "An interval such as +2.0 ± 3.0 reaches from -1 to 5 and includes zero: open. One of -9.0 ± 1.0 lies below "
        "zero: no.",
    ),
    wrong=(
        *every_misreading(VERDICTS, CLAIMS),
        (judged(c="yes", d="yes"), f"{CLAIMS['c'].name}, {CLAIMS['d'].name}"),
    ),
    mutations=tuple((line(key, CLAIMS[key].verdict), line(key, wrong)) for key, wrong in (
        ("a", "no"), ("b", "no"), ("c", "no"), ("d", "open"), ("e", "no"))))
