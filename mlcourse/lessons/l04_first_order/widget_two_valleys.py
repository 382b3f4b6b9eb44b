"""The explorer of lesson 04 on two quadratics: where each algorithm's outer loop comes to rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import ipywidgets
import numpy as np
import torch
from torch import Tensor

from mlcourse.lessons.l04_first_order.arrows import ALGORITHMS, JOINT, SECOND
from mlcourse.lessons.l04_first_order.quadratics import rest
from mlcourse.lessons.l04_first_order.scene_two_valleys import TwoValleysScene
from mlcourse.plots.style import about
from mlcourse.widgets.base import CONTROL, Explorer, columns

MINIMA = torch.tensor([[1.0, 1.0], [0.0, 0.0]], dtype=torch.float64)
HIGHEST, STEEPEST = 0.25, 4.0       # α and curvature: their product is 1 at most, so that no inner step overshoots
REPTILE_STEPS = 2


class TwoValleysRecord(NamedTuple):
    """alpha: the inner rate. a, c (2, 2): curvatures and minima of both tasks. paths: by algorithm, where it rests for
    rates from 0 to alpha (M, 2). before, after: by algorithm the mean loss of the tasks there, and after one step."""

    alpha: float
    a: np.ndarray
    c: np.ndarray
    paths: dict[str, np.ndarray]
    before: dict[str, float]
    after: dict[str, float]


def curvatures(steep: float) -> Tensor:
    """Of task A, steep along θ₁, and of task B, steep along θ₂: (2, 2)."""
    return torch.tensor([[steep, 1.0], [1.0, steep]], dtype=torch.float64)


def mean_loss(w: Tensor, a: Tensor, alpha: float) -> float:
    """The mean over both tasks of the loss after one step of this rate from w (2,); at rate 0, before it."""
    return float((0.5 * a * ((1 - alpha * a) * (w - MINIMA)) ** 2).sum(1).mean())


class TwoValleys(Explorer):
    """Choose the inner rate and how steep the valleys are, and see where joint training and four others come to rest.

    algorithms: of `arrows.ALGORITHMS`. Reptile takes two inner steps, the others one; iMAML has λ = 1/α.

        TwoValleys(alpha=0.1)
    """

    def __init__(self, alpha: float = 0.0, steep: float = 3.0, algorithms: Sequence[str] = ALGORITHMS):
        self.algorithms = tuple(algorithms)
        slider = lambda **kwargs: ipywidgets.FloatSlider(**kwargs, **CONTROL)
        controls = {
            "alpha": slider(value=alpha, min=0, max=HIGHEST, step=0.01, description="inner rate α"),
            "steep": slider(value=steep, min=1, max=STEEPEST, step=0.25, description="curvature"),
        }
        super().__init__(TwoValleysScene(self.algorithms), controls, columns(list(controls.values()), 2))

    def compute(self, *, alpha: float, steep: float) -> TwoValleysRecord:
        a = curvatures(steep)
        rates = np.linspace(0, alpha, 11)
        paths = {name: torch.stack([rest(name, a, MINIMA, rate, REPTILE_STEPS) for rate in rates])
                 for name in self.algorithms}
        return TwoValleysRecord(
            alpha, a.numpy(), MINIMA.numpy(), {name: path.numpy() for name, path in paths.items()},
            {name: mean_loss(path[-1], a, 0.0) for name, path in paths.items()},
            {name: mean_loss(path[-1], a, alpha) for name, path in paths.items()})

    def headline(self, record: TwoValleysRecord) -> str:
        joint, maml = (f"({about(w[0])}, {about(w[1])})" for w in (record.paths[name][-1] for name in (JOINT, SECOND)))
        if joint == maml:
            return f"α = {record.alpha:g}: joint training and MAML rest at one point, {joint}"
        return f"α = {record.alpha:g}: joint training rests at {joint}, MAML at {maml}"

    def describe(self, record: TwoValleysRecord) -> str:
        each = [f"{name} {about(record.before[name])} → {about(record.after[name])}" for name in self.algorithms]
        return f"Mean loss there → after one step: {', '.join(each)}."
