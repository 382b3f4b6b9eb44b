"""The factor dial of lesson 01: change one factor of P(x, y) and see what happens to a line that was fitted before."""

from __future__ import annotations

from typing import NamedTuple

import ipywidgets
import numpy as np
import torch

from mlcourse.datasets import factors
from mlcourse.domains.distances import PAD, proxy_a_distance, proxy_a_floor
from mlcourse.lessons.l01_domains.scene_factor_dial import FactorDialScene
from mlcourse.lessons.l01_domains.scene_shift_dial import Curve, over_seeds
from mlcourse.widgets.base import CONTROL, Explorer

SPLITS = 5
SAMPLE = 300               # points of each world, all of them drawn
FITTED_ON = 2000           # points that the line is fitted to
SEVERITIES = np.round(np.arange(0, 1.01, 0.1), 1)
CHANGES = {
    factors.LEFT: "P(x) changes, P(y | x) stays",
    factors.RIGHT: "P(x) changes, P(y | x) stays",
    factors.LABEL: "P(y) changes, P(x | y) stays, so that P(x) and P(y | x) both change",
    factors.CONCEPT: "P(y | x) changes, P(x) stays",
}


class FactorRecord(NamedTuple):
    """One setting: points (SAMPLE, 2) and labels at home and away, the best boundary in both worlds (·, 2), two points
    of the fixed line (2, 2), its accuracy, the best accuracy, PAD of the points, the two accuracies over SEVERITIES
    (·,), and curves over seeds by measure (None without them)."""

    kind: str
    severity: float
    home_x: np.ndarray
    home_y: np.ndarray
    home_edge: np.ndarray
    x: np.ndarray
    y: np.ndarray
    edge: np.ndarray
    line: np.ndarray
    accuracy: float
    best: float
    pad: PAD
    severities: np.ndarray
    accuracy_curve: np.ndarray
    best_curve: np.ndarray
    curves: dict[str, Curve | None]


class FactorDial(Explorer):
    """Change one factor of P(x, y) in a world of two dimensions, and keep the line that was fitted at home.

    rows: those of `mlcourse study shift`; the curve of PAD over seeds is then drawn in grey. A new setting takes up to
    a second, for the distance; a setting seen before is redrawn at once.

        FactorDial(kind="concept shift", severity=0.5)
    """

    keeps = True

    def __init__(self, *, rows: list[dict] | None = None, kind: str = factors.LEFT, severity: float = 0.5):
        self.rows = rows
        self.line = factors.fit_line(*factors.draw(factors.LEFT, 0, FITTED_ON, seed=1))
        self.home = factors.draw(factors.LEFT, 0, SAMPLE, seed=2)
        self.curves = {kind: np.array([factors.line_accuracy(self.line, kind, float(s)) for s in SEVERITIES]).T
                       for kind in factors.KINDS}
        self._seen: dict[tuple[str, float], PAD] = {}
        same = proxy_a_floor(torch.cat([self.home[0], factors.draw(factors.LEFT, 0, SAMPLE, seed=4)[0]]), size=SAMPLE,
                             splits=SPLITS)
        controls = {
            "kind": ipywidgets.Dropdown(options=factors.KINDS, value=kind, description="what changes", **CONTROL),
            "severity": ipywidgets.FloatSlider(value=severity, min=0, max=1, step=0.1, description="severity",
                                               readout_format=".1f", **CONTROL),
        }
        super().__init__(FactorDialScene((same.low, same.high)), controls)

    def compute(self, *, kind: str, severity: float) -> FactorRecord:
        severity = round(severity, 1)
        x, y = factors.draw(kind, severity, SAMPLE, seed=3)
        if (kind, severity) not in self._seen:
            self._seen[kind, severity] = proxy_a_distance(self.home[0], x, size=SAMPLE, splits=SPLITS)
        at = int(round(10 * severity))
        accuracy, best = self.curves[kind]
        ends = np.array([-9.0, 9.0])
        w, b = self.line.weight.double().numpy(), float(self.line.bias)
        line = np.stack([ends, -(b + w[0] * ends) / w[1]], 1)
        own = Curve(SEVERITIES, 100 * accuracy, np.zeros(len(SEVERITIES)))
        pad = self.rows and over_seeds(self.rows, kind, "pad")
        return FactorRecord(
            kind, severity, *(part.numpy() for part in self.home), factors.edge(factors.LEFT, 0).numpy(), x.numpy(),
            y.numpy(), factors.edge(kind, severity).numpy(), line, float(accuracy[at]), float(best[at]),
            self._seen[kind, severity], SEVERITIES, accuracy, best, {"accuracy": own, "pad": pad or None})

    def headline(self, record: FactorRecord) -> str:
        return (f"{record.kind.capitalize()}, severity {record.severity:.1f}: PAD ≈{record.pad.value:.2f}, the line is "
                f"right on ≈{100 * record.accuracy:.0f} %")

    def describe(self, record: FactorRecord) -> str:
        home = 100 * float(self.curves[record.kind][0][0])
        change = CHANGES[record.kind] if record.severity else "Nothing changes"
        return (f"{change}. The line is right on ≈{100 * record.accuracy:.1f} % away, ≈{home:.1f} % at "
                f"home; the best classifier for this world reaches ≈{100 * record.best:.1f} %. PAD of the inputs "
                f"≈{record.pad.value:.2f}, 95 % interval ≈[{record.pad.low:.2f}, {record.pad.high:.2f}].")
