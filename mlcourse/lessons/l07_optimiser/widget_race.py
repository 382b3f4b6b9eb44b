"""The explorer of lesson 07: a race of the learned optimiser, and the update that it has learned."""

from __future__ import annotations

from typing import NamedTuple

import ipywidgets
import numpy as np

from mlcourse.lessons.l07_optimiser import race, shipped
from mlcourse.lessons.l07_optimiser import study_optimisers_arms as arms
from mlcourse.lessons.l07_optimiser.race import HORIZONS, LEARNED, RACERS, Dissection
from mlcourse.lessons.l07_optimiser.scene_race import OptimiserRaceScene
from mlcourse.plots.style import about, plural
from mlcourse.widgets.base import CONTROL, Explorer

CONDITIONS = {"random": None, "1": 1.0, "10": 10.0, "100": 1e2, "1,000": 1e3, "10,000": 1e4, "100,000": 1e5}
STARTS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
TRAINED = 100


class OptimiserRaceRecord(NamedTuple):
    """condition: its name. steps, start: the controls. losses: of each racer (steps + 1,). dissection: of the learned
    update after the last step."""

    condition: str
    steps: int
    start: float
    losses: dict[str, np.ndarray]
    dissection: Dissection


class OptimiserRace(Explorer):
    """Choose functions, where they start and how long the race is, and see who wins and what the learned one does.

        OptimiserRace(steps=100)
    """

    keeps = True

    def __init__(self, condition: str = "random", steps: int = TRAINED, start: float = 1.0):
        slider = lambda **kwargs: ipywidgets.SelectionSlider(**kwargs, **CONTROL)
        rate = float(shipped.tuned(arms.SGD)[0].split()[1].strip(","))
        super().__init__(OptimiserRaceScene(RACERS, rate, TRAINED), {
            "condition": slider(options=list(CONDITIONS), value=condition, description="condition number"),
            "steps": slider(options=HORIZONS, value=steps, description="horizon, steps"),
            "start": slider(options=[(f"{each:g} ×", each) for each in STARTS], value=start,
                            description="start, how far"),
        })

    def compute(self, *, condition: str, steps: int, start: float) -> OptimiserRaceRecord:
        of = CONDITIONS[condition]
        own, dissections = race.learned_run(of, start)
        losses = {LEARNED: own[:steps + 1]} | {name: race.rival_run(name, of, start, steps)
                                               for name in RACERS if name != LEARNED}
        return OptimiserRaceRecord(condition, steps, start, losses, dissections[steps])

    def headline(self, record: OptimiserRaceRecord) -> str:
        left = {name: losses[-1] for name, losses in record.losses.items()}
        tuned = {name: left[name] for name in (arms.SGD, arms.MOMENTUM, arms.BETAS_TOO)}
        best = min(tuned, key=tuned.get)
        return (f"Left after {plural(record.steps, 'step')}: learned {about(left[LEARNED])}; best of the "
                f"tuned: {best} {about(tuned[best])}")

    def describe(self, record: OptimiserRaceRecord) -> str:
        others = ", ".join(f"{name} {about(losses[-1])}" for name, losses in record.losses.items() if name != LEARNED)
        step = float(np.median(np.abs(record.dissection.taken)))
        return (f"Left by the others: {others}. Half of the learned optimiser's ten next steps are longer than "
                f"{about(step)}.")
