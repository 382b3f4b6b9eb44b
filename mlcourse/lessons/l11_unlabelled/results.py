"""What lesson 11 reads from the rows of `mlcourse study unlabelled`."""

from __future__ import annotations

from collections.abc import Sequence

from mlcourse.lessons.l11_unlabelled import study_unlabelled_results as study
from mlcourse.lessons.l11_unlabelled.study_unlabelled_arms import BALANCED_AT_TEST as BALANCED
from mlcourse.lessons.l11_unlabelled.study_unlabelled_arms import HARD_AT_TEST as HARD
from mlcourse.lessons.l11_unlabelled.study_unlabelled_arms import (BALANCES, CLUSTER, MASKED, PROTO, SOFT, SOFT_AT_TEST,
                                                                    TOLD)
from mlcourse.statistics import Estimate

DISTRACTORS = (0, 5)
ARMS = (PROTO, HARD, SOFT_AT_TEST, BALANCED, SOFT, MASKED, CLUSTER, TOLD)


def apart(rows: Sequence[dict], one: str, other: str, distractors: int, balance: str = "even") -> Estimate:
    """The accuracy of one arm less that of another on glyphs, in points, paired over seeds. Raises ValueError for a
    name, a number or a balance that the rows do not have."""
    for value, what, known in ((one, "arm", ARMS), (other, "arm", ARMS), (distractors, "number of other classes",
                                                                          DISTRACTORS), (balance, "balance", BALANCES)):
        if value not in known:
            raise ValueError(f"there is no {what} {value!r}; there are {', '.join(map(repr, known))}")
    return study.apart(rows, (one, distractors, balance), (other, distractors, balance))
