"""The explorer of lesson 09 that shows a stream of labelled pictures to the simplest memory."""

from __future__ import annotations

from typing import NamedTuple

import ipywidgets

from mlcourse.lessons.l09_memory import neighbour_stream
from mlcourse.lessons.l09_memory.neighbour_stream import STEPS, Answers
from mlcourse.lessons.l09_memory.scene_stream import EpisodeStreamScene
from mlcourse.plots.style import about
from mlcourse.widgets.base import CONTROL, Explorer


class EpisodeStreamRecord(NamedTuple):
    """at: the step that is shown, from 0. late: by how many steps labels come after their pictures. answers: to the
    stream that is shown, and how often they are right in many."""

    at: int
    late: int
    answers: Answers


class EpisodeStream(Explorer):
    """Step through a stream; let labels come at once, keep the memory of the stream before, keep the labels.

        EpisodeStream()
    """

    keeps = True

    def __init__(self, step: int = 12):
        tick = lambda what: ipywidgets.Checkbox(value=True, description=what, indent=False,
                                                layout={"width": "98%", "margin": "0 0 0 6px"})
        super().__init__(EpisodeStreamScene(), {
            "step": ipywidgets.IntSlider(value=step, min=1, max=STEPS, description="step", **CONTROL),
            "late": ipywidgets.SelectionSlider(options=[("with its picture", 0), ("a step late", 1)], value=1,
                                               description="a label comes", **CONTROL),
            "emptied": tick("memory emptied before each stream"),
            "anew": tick("each stream deals the labels anew"),
        })

    def compute(self, *, step: int, late: int, emptied: bool, anew: bool) -> EpisodeStreamRecord:
        return EpisodeStreamRecord(step - 1, late, neighbour_stream.answers(late, emptied, anew))

    def headline(self, record: EpisodeStreamRecord) -> str:
        first, second = (100 * float(share) for share in record.answers.accuracy[:2])
        return f"Right at the first presentation {about(first)} %, at the second {about(second)} %"

    def describe(self, record: EpisodeStreamRecord) -> str:
        found = record.answers
        wrong = int((found.said[:record.at + 1] != found.labels[:record.at + 1]).sum())
        return f"In this stream {about(wrong)} of the first {record.at + 1} answers are wrong."
