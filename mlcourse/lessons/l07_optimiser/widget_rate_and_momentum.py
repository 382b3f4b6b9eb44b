"""The explorer of lesson 07 that has descent with momentum tuned by hand on a quadratic."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import ipywidgets
import numpy as np

from mlcourse.lessons.l07_optimiser import descent
from mlcourse.lessons.l07_optimiser.scene_rate_and_momentum import LARGEST, STEPS, RateAndMomentumScene
from mlcourse.plots.style import about
from mlcourse.widgets.base import CONTROL, Explorer


class RateAndMomentumRecord(NamedTuple):
    """alpha, beta: rate and momentum. curvatures (10,). errors (steps + 1, 10): along each, 1 at the start.
    factors (10,): of a step in the long run."""

    alpha: float
    beta: float
    curvatures: np.ndarray
    errors: np.ndarray
    factors: np.ndarray

    @property
    def slowest(self) -> int:
        """The direction with the largest factor; the flattest of several."""
        return int(np.argmax(self.factors.round(6)))

    def between(self, curvature: np.ndarray) -> np.ndarray:
        """The factor at other curvatures."""
        return descent.factor(curvature, self.alpha, self.beta)


class RateAndMomentum(Explorer):
    """Choose rate, momentum and the largest curvature, and see which direction is the slowest.

        RateAndMomentum(alpha=0.02)
    """

    def __init__(self, alpha: float = 0.02, beta: float = 0.0, largest: float = 10**1.4):
        log = partial(ipywidgets.FloatLogSlider, **CONTROL)
        super().__init__(RateAndMomentumScene(), {
            "alpha": log(value=alpha, min=-2.5, max=0, step=0.02, description="rate α", readout_format=".4f"),
            "beta": ipywidgets.FloatSlider(value=beta, min=0, max=0.95, step=0.01, description="momentum β", **CONTROL),
            "largest": log(value=largest, min=0, max=float(np.log10(LARGEST)), step=0.1,
                           description="steepest, H", readout_format=".0f"),
        })

    def compute(self, *, alpha: float, beta: float, largest: float) -> RateAndMomentumRecord:
        curvatures = descent.curvatures(largest)
        return RateAndMomentumRecord(alpha, beta, curvatures, descent.errors(curvatures, alpha, beta, STEPS),
                                     descent.factor(curvatures, alpha, beta))

    def headline(self, record: RateAndMomentumRecord) -> str:
        worst = float(record.factors.max())
        if worst >= 1:
            return f"The slowest direction does not shrink: a step multiplies its error by {about(worst)}"
        return (f"In the long run a step leaves {about(worst)} of the slowest error: "
                f"{about(round(descent.steps_to_goal(worst)))} such steps to a thousandth")

    def describe(self, record: RateAndMomentumRecord) -> str:
        flat, steep = record.factors[0], record.factors[-1]
        return f"Factor of a step along the flattest direction {about(flat)}, along the steepest {about(steep)}."
