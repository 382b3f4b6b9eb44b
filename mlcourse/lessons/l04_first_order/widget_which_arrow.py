"""The explorer of lesson 04: one meta-step of several algorithms on the same two tasks of a real network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import ipywidgets
import numpy as np
import torch
from torch import nn

from mlcourse.lessons.l04_first_order import arrows as parts
from mlcourse.lessons.l04_first_order.arrows import ALGORITHMS, FIRST, JOINT, SECOND
from mlcourse.lessons.l04_first_order.scene_which_arrow import WhichArrowScene
from mlcourse.plots.style import about, plural
from mlcourse.widgets.base import CONTROL, Explorer, columns, labelled

MOST_STEPS = 8


class WhichArrowRecord(NamedTuple):
    """One setting. start, alpha, steps: the controls. tasks (2, 2): where each task's own gradient points at θ, on the
    plane that both span. places: by algorithm, its arrow on that plane (2,). lengths: of the arrows, by that of joint
    training; angles: to MAML's arrow, in degrees; both in the whole space, nan where an arrow is not finite.
    missing: the length of MAML's arrow less FOMAML's, by that of MAML's. inside: the share of its length in the plane.
    gap: the two algorithms between which it lies.
    """

    start: str
    alpha: float
    steps: int
    tasks: np.ndarray
    places: dict[str, np.ndarray]
    lengths: dict[str, float]
    angles: dict[str, float]
    missing: float
    inside: float
    gap: tuple[str, str]


class WhichArrow(Explorer):
    """Choose the inner rate, the inner steps and where θ stands, and see where each algorithm would move θ.

    starts: networks by name, all with 1 input and 1 output; the names become a selector. algorithms: of
    `arrows.ALGORITHMS`; joint training, FOMAML and MAML among them.
    Raises ValueError without a network, or where one of the three is left out.

        WhichArrow({"random": MLP(seed=0), "MAML": maml.net})
    """

    keeps = True

    def __init__(self, starts: Mapping[str, nn.Module], *, algorithms: Sequence[str] = ALGORITHMS, alpha: float = 0.01,
                 steps: int = 1):
        if not starts:
            raise ValueError("give at least one network, such as {'random': MLP(seed=0)}")
        if missing := [name for name in (JOINT, FIRST, SECOND) if name not in algorithms]:
            raise ValueError(f"the other arrows are compared with that of {missing[0]}; name it too")
        self.nets, self.algorithms, self.tasks = dict(starts), tuple(algorithms), parts.two_tasks()
        self._seen: dict[tuple, WhichArrowRecord] = {}
        names = list(self.nets)
        controls = {
            "alpha": ipywidgets.FloatLogSlider(value=alpha, min=-4, max=-1, step=0.1, description="inner rate α",
                                               readout_format=".4f", **CONTROL),
            "steps": ipywidgets.IntSlider(value=steps, min=1, max=MOST_STEPS, description="inner steps k", **CONTROL),
            "start": ipywidgets.ToggleButtons(options=names, value=names[0], tooltips=[f"θ of {n}" for n in names],
                                              style={"button_width": "8em"}),
        }
        super().__init__(WhichArrowScene(self.algorithms), controls, ipywidgets.VBox([
            columns([controls["alpha"], controls["steps"]], 2), labelled("θ is that of", controls["start"])]))

    def compute(self, *, alpha: float, steps: int, start: str) -> WhichArrowRecord:
        key = (f"{alpha:.6g}", steps, start)
        if key not in self._seen:
            self._seen[key] = self.measured(alpha, steps, start)
        return self._seen[key]

    def measured(self, alpha: float, steps: int, start: str) -> WhichArrowRecord:
        """The record of a setting."""
        net = self.nets[start]
        own = parts.downhill(net, self.tasks)
        found = parts.arrows(net, self.tasks, alpha, steps, self.algorithms)
        plane = parts.plane(*own)
        gap = found[SECOND] - found[FIRST]
        size = lambda vector: float(vector.norm()) if bool(torch.isfinite(vector).all()) else np.nan
        return WhichArrowRecord(
            start, alpha, steps, (own @ plane.T).numpy(), {name: (plane @ a).numpy() for name, a in found.items()},
            {name: size(a) / size(found[JOINT]) for name, a in found.items()},
            {name: parts.angle(a, found[SECOND]) for name, a in found.items()},
            size(gap) / size(found[SECOND]), float((plane @ gap).norm()) / max(size(gap), 1e-30), (FIRST, SECOND))

    def headline(self, record: WhichArrowRecord) -> str:
        setting = f"α = {record.alpha:.3g}, {plural(record.steps, 'inner step')}"
        if not np.isfinite(record.missing):
            return f"{setting}: the inner loop explodes"
        return (f"{setting}: the missing term is {about(100 * record.missing)} % of MAML's arrow, FOMAML is "
                f"{about(record.angles[FIRST])}° off")

    def describe(self, record: WhichArrowRecord) -> str:
        each = [f"{name} {about(record.lengths[name])}, {about(record.angles[name])}°" for name in self.algorithms
                if np.isfinite(record.lengths[name])]
        lost = [name for name in self.algorithms if not np.isfinite(record.lengths[name])]
        gone = f" Not finite: {', '.join(lost)}." if lost else ""
        return f"Length by joint training's, angle to MAML's: {'; '.join(each)}.{gone}"
