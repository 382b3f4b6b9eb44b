"""The explorer of lesson 09 that has a machine copy while some of its parts are held."""

from __future__ import annotations

from typing import NamedTuple

import ipywidgets

from mlcourse.lessons.l09_memory import tape
from mlcourse.lessons.l09_memory.scene_tape import MemoryTapeScene
from mlcourse.lessons.l09_memory.tape import LENGTHS, Run
from mlcourse.plots.style import about
from mlcourse.widgets.base import CONTROL, Explorer


class MemoryTapeRecord(NamedTuple):
    """length: items of the copy. at: the step that is shown, from 0. run: the whole copy."""

    length: int
    at: int
    run: Run

    @property
    def steps(self) -> int:
        """Of the run."""
        return len(self.run.memory)


class MemoryTape(Explorer):
    """Step through a copy, hold the parts of the machine, damage its memory.

        MemoryTape(length=10)
    """

    keeps = True

    def __init__(self, length: int = 10):
        config = tape.machine().config
        slider = lambda **kwargs: ipywidgets.SelectionSlider(**kwargs, **CONTROL)
        tick = lambda what: ipywidgets.Checkbox(value=True, description=what, indent=False,
                                                layout={"width": "98%", "margin": "0 0 0 6px"})
        super().__init__(MemoryTapeScene(config["bits"], config["slots"]), {
            "length": slider(options=LENGTHS, value=length, description="items"),
            "damage": ipywidgets.IntSlider(value=0, min=0, max=10, description="damage item", **CONTROL),
            "content": tick("it may look for a content"),
            "shift": tick("it may step to the next row"),
            "sharpen": tick("it may sharpen its focus"),
            "step": ipywidgets.IntSlider(value=14, min=1, max=2 * max(LENGTHS) + 1, description="step", **CONTROL),
        })

    def compute(self, *, length: int, damage: int, content: bool, shift: bool, sharpen: bool,
                step: int) -> MemoryTapeRecord:
        run = tape.run(length, tape.machine().slots, content, shift, sharpen, min(damage, length))
        return MemoryTapeRecord(length, min(step, len(run.memory)) - 1, run)

    def headline(self, record: MemoryTapeRecord) -> str:
        wrong = record.run.wrong
        return f"{about(int(wrong.sum()))} of {wrong.size} bits are wrong"

    def describe(self, record: MemoryTapeRecord) -> str:
        run, at = record.run, record.at
        most = lambda focus: f"row {about(int(focus.argmax()))}"
        damaged = "" if run.damaged is None else f" Row {about(run.damaged)} was filled with noise at the mark."
        where = f"writes mainly to {most(run.w_write[at])}, reads {most(run.w_read[at])}"
        return f"Step {at + 1} of {record.steps} {where}.{damaged}"
