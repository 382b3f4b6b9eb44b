"""The explorer of lesson 09 that has a machine copy while some of its parts are held."""

from __future__ import annotations

from typing import NamedTuple

import ipywidgets

from mlcourse.lessons.l09_memory import tape
from mlcourse.lessons.l09_memory.scene_tape import MemoryTapeScene
from mlcourse.lessons.l09_memory.tape import LENGTHS, Run
from mlcourse.plots.style import about
from mlcourse.widgets.base import CONTROL, Explorer


HELD = {"content": "no search by content", "shift": "no step to the next row", "sharpen": "no sharpening"}
HOLDS, FAILS = 0.02, 0.35        # up to this share of wrong bits a copy holds, from that one on it fails; guessing: 0.5


class MemoryTapeRecord(NamedTuple):
    """length: items of the copy. item: the one whose row is damaged, from 1 on; 0: none. held: the parts that it has to
    do without, in words. at: the step that is shown, from 0. run: the whole copy."""

    length: int
    item: int
    held: tuple[str, ...]
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
        items = slider(options=LENGTHS, value=length, description="items")
        damage = ipywidgets.IntSlider(value=0, min=0, max=min(length, 10), description="damage item", **CONTROL)
        steps = ipywidgets.IntSlider(value=14, min=1, max=2 * length + 1, description="step", **CONTROL)

        def reach(change):
            """No slider goes beyond what a copy has."""
            damage.max, steps.max = min(change["new"], 10), 2 * change["new"] + 1

        items.observe(reach, "value")
        super().__init__(MemoryTapeScene(config["bits"], config["slots"]), {
            "length": items,
            "damage": damage,
            "content": tick("it may look for a content"),
            "shift": tick("it may step to the next row"),
            "sharpen": tick("it may sharpen its focus"),
            "step": steps,
        })

    def compute(self, *, length: int, damage: int, content: bool, shift: bool, sharpen: bool,
                step: int) -> MemoryTapeRecord:
        item = min(damage, length)
        run = tape.run(length, tape.machine().slots, content, shift, sharpen, item)
        held = tuple(words for words, on in zip(HELD.values(), (content, shift, sharpen), strict=True) if not on)
        return MemoryTapeRecord(length, item, held, min(step, len(run.memory)) - 1, run)

    def headline(self, record: MemoryTapeRecord) -> str:
        wrong, rows = record.run.wrong, record.run.memory.shape[1]
        few = f" for {rows} rows" if record.length > rows else ""
        damaged = [f"item {record.item} damaged"] if record.item else []
        setting = ", ".join([f"{record.length} items{few}", *record.held, *damaged])
        share = wrong.mean()
        verdict = "holds" if share <= HOLDS else "fails" if share >= FAILS else "fails in part"
        return f"{setting}: the copy {verdict}, {about(int(wrong.sum()))} of {wrong.size} bits are wrong"

    def describe(self, record: MemoryTapeRecord) -> str:
        run, at = record.run, record.at
        most = lambda focus: f"row {about(int(focus.argmax()))}"
        damaged = "" if run.damaged is None else f" Row {about(run.damaged)} was filled with noise at the mark."
        where = f"writes mainly to {most(run.w_write[at])}, reads {most(run.w_read[at])}"
        return f"Step {at + 1} of {record.steps} {where}.{damaged}"
