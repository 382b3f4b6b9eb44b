"""The table of lesson 11; its picture is the study's."""

from __future__ import annotations

from collections.abc import Sequence

from mlcourse.lessons.l11_unlabelled import study_unlabelled_results as study
from mlcourse.lessons.l11_unlabelled.results import ARMS, DISTRACTORS, PROTO, apart
from mlcourse.lessons.l11_unlabelled.study_unlabelled_picture import falls

__all__ = ["falls", "table"]


def table(rows: Sequence[dict]) -> str:
    """The arms of the table on even pools without and with other classes, and minus ProtoNet, paired over seeds."""
    head = "".join(f"{f'{each} other classes':>18s}{'minus ProtoNet':>16s}" for each in DISTRACTORS)
    lines = [f"{'% right':28s}{head}"]
    for arm in ARMS:
        cells = "".join(f"{study.mean(rows, arm, each).text():>18s}"
                        f"{'' if arm == PROTO else apart(rows, arm, PROTO, each).text(sign=True):>16s}"
                        for each in DISTRACTORS)
        lines.append(f"{arm:28s}{cells}".rstrip())
    return "\n".join(lines)
