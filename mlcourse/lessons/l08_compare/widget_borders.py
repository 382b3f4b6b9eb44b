"""The first explorer of lesson 08: labelled points in the plane, and where the borders between their classes run."""

from __future__ import annotations

from typing import NamedTuple

import ipywidgets
import numpy as np

from mlcourse.lessons.l08_compare import borders
from mlcourse.lessons.l08_compare.borders import ACROSS, COLUMNS, HOW, MEANS, METRICS, POINTS, QUERY, ROWS, SQUARED, UP
from mlcourse.lessons.l08_compare.scene_borders import NAMES, BordersScene
from mlcourse.widgets.base import CONTROL, Explorer, columns, labelled

PLANE = borders.plane()


class BordersRecord(NamedTuple):
    """One setting. metric, how, tau: the controls. points (N, K, 2), means (N, 2): of the classes. plane
    (ROWS, COLUMNS, N): the class probabilities over the plane, from the top; query (N,): those of the query."""

    metric: str
    how: str
    tau: float
    points: np.ndarray
    means: np.ndarray
    plane: np.ndarray
    query: np.ndarray


class DragPrototypes(Explorer):
    """Move a labelled point, choose how far is measured, and see the borders follow.

        DragPrototypes(metric="cosine")
    """

    def __init__(self, *, metric: str = SQUARED, how: str = MEANS, tau: float = 1.0):
        x, y = POINTS[0, 2]
        toggle = lambda options, value: ipywidgets.ToggleButtons(options=list(options), value=value,
                                                                 style={"button_width": "8em"})
        slider = lambda value, most, name: ipywidgets.FloatSlider(value=value, min=-most, max=most, step=0.1,
                                                                  readout_format=".1f", description=name, **CONTROL)
        controls = {
            "metric": toggle(METRICS, metric), "how": toggle(HOW, how), "x": slider(x, ACROSS, "ringed point: x"),
            "y": slider(y, UP, "y"),
            "tau": ipywidgets.FloatLogSlider(value=tau, min=-1, max=1, step=0.1, readout_format=".2f",
                                             description="temperature τ", **CONTROL),
        }
        rest = columns([controls[name] for name in ("x", "y", "tau")], 3)
        buttons = ipywidgets.HBox([labelled("distance", controls["metric"]), labelled("to", controls["how"])],
                                  layout={"flex_flow": "row wrap"})
        super().__init__(BordersScene(), controls, ipywidgets.VBox([buttons, rest]))

    def compute(self, *, metric: str, how: str, x: float, y: float, tau: float) -> BordersRecord:
        points = POINTS.copy()
        points[0, 2] = x, y
        found = borders.probabilities(np.concatenate([PLANE, QUERY[None]]), points, metric, how, tau)
        return BordersRecord(metric, how, tau, points, points.mean(1), found[:-1].reshape(ROWS, COLUMNS, -1),
                             found[-1])

    def headline(self, record: BordersRecord) -> str:
        what = {"cosine": "Cosines", "L1": "L1 distances"}.get(record.metric, f"{record.metric.capitalize()} distances")
        best = int(record.query.argmax())
        return f"{what} to {record.how}: the query is {NAMES[best]} with probability ≈{record.query[best]:.2f}"

    def describe(self, record: BordersRecord) -> str:
        winner = record.plane.argmax(-1)
        shares = [f"{name} ≈{(winner == n).mean():.2f}" for n, name in enumerate(NAMES)]
        sure = (record.plane.max(-1) > 0.9).mean()
        return f"Shares of the plane: {', '.join(shares)}. More than 0.9 sure on ≈{sure:.2f} of it."
