"""The shift dial of lesson 01: turn a kind and a severity of shift, and see what it does to a fixed classifier."""

from __future__ import annotations

from typing import NamedTuple

import ipywidgets
import numpy as np
import torch
from torch import Tensor, nn

from mlcourse.domains import SHIFTS, Domain, shift
from mlcourse.domains.distances import PAD, proxy_a_distance, proxy_a_floor
from mlcourse.evaluate import score
from mlcourse.lessons.l01_domains.scene_shift_dial import SHOWN, Curve, ShiftDialScene, over_seeds
from mlcourse.widgets.base import CONTROL, Explorer

SAMPLE = 400              # pictures of each domain that a distance compares
SPLITS = 5
DRAWN = 150               # pictures of each domain in the embedding


class Point(NamedTuple):
    """What one shift does: the shifted pictures uint8 (M, 28, 28), their places in the embedding z (DRAWN, 2), which of
    those the classifier names right (DRAWN,) bool, its accuracy on all M, and PAD to home of pixels and of features."""

    images: np.ndarray
    z: np.ndarray
    right: np.ndarray
    accuracy: float
    pad: PAD
    inner: PAD


class ShiftRecord(NamedTuple):
    """One setting of the dial: the shift's `Point`, the pictures shown (SHOWN, 28, 28), the embedding of the home
    pictures (DRAWN, 2), the accuracy at home, and curves over seeds by measure (None without them)."""

    kind: str
    severity: float
    point: Point
    shown: np.ndarray
    home_z: np.ndarray
    home_accuracy: float
    curves: dict[str, Curve] | None


class ShiftDial(Explorer):
    """Turn the kind and the severity of a shift: the same digits before and after, the classifier's features, its
    accuracy, and PAD of pixels and of features, which the dial calls distances.

    net: a classifier of the domains' classes with a method `features`; it never changes. home: pictures that it was
    not trained on; away: other such pictures, which the dial shifts. rows: those of `mlcourse study shift`, drawn as
    grey curves with their bands over seeds. other: a domain with the same classes to draw as a dashed line.
    A new setting takes up to a second, for the distances; a setting seen before is redrawn at once.
    Raises ValueError for domains of fewer than SAMPLE pictures, or of other classes than home's.

        ShiftDial(classifier.net, home, away, other=load("digits"))
    """

    keeps = True

    def __init__(self, net: nn.Module, home: Domain, away: Domain, *, rows: list[dict] | None = None,
                 other: Domain | None = None, kind: str = "rotation", severity: float = 0.3):
        for domain in (home, away, *([other] if other else [])):
            if len(domain.images) < SAMPLE or domain.classes != home.classes:
                raise ValueError(f"{domain.name} has {len(domain.images)} pictures of {len(domain.classes)} classes; "
                                 f"the dial needs at least {SAMPLE}, of the classes {', '.join(home.classes)}")
        self.net, self.home, self.away, self.rows = net, home, away, rows
        features = self._features(home.images[:DRAWN])
        self.centre = features.mean(0)
        self.axes = torch.linalg.svd(features - self.centre, full_matrices=False).Vh[:2]
        self.home_z = self._embed(features)
        self.home_features = self._features(home.images)
        self.home_accuracy = self._accuracy(away.images, away.labels)
        self.first = torch.stack([(away.labels == c).nonzero()[0, 0] for c in range(SHOWN)])
        self._seen: dict[tuple[str, float], Point] = {}
        controls = {
            "kind": ipywidgets.Dropdown(options=SHIFTS, value=kind, description="kind of shift", **CONTROL),
            "severity": ipywidgets.FloatSlider(value=severity, min=0, max=1, step=0.1, description="severity",
                                               readout_format=".1f", **CONTROL),
        }
        super().__init__(self._scene(other), controls)

    def _scene(self, other: Domain | None) -> ShiftDialScene:
        unshifted = torch.cat([self.home.images, self.away.images])
        floors = tuple((same.low, same.high) for same in (proxy_a_floor(x, size=SAMPLE, splits=SPLITS)
                                                          for x in (unshifted, self._features(unshifted))))
        pictures = lambda domain, index: domain.images[index, 0].numpy()
        reach = 1.7 * np.abs(self.home_z).max(0)
        home = pictures(self.away, self.first)
        if other is None:
            return ShiftDialScene(home, None, None, floors, reach)
        first = torch.stack([(other.labels == c).nonzero()[0, 0] for c in range(SHOWN)])
        point = self._measure(other.images, other.labels)
        name = "UCI digits" if other.name == "digits" else other.name
        about = (name, point.accuracy, point.pad.value, point.inner.value)
        return ShiftDialScene(home, pictures(other, first), about, floors, reach)

    @torch.no_grad()
    def _features(self, images: Tensor) -> Tensor:
        return self.net.features(images.float() / 255)

    def _embed(self, features: Tensor) -> np.ndarray:
        return ((features - self.centre) @ self.axes.T).numpy()

    @torch.no_grad()
    def _accuracy(self, images: Tensor, labels: Tensor) -> float:
        return float(score(self.net(images.float() / 255), labels))

    def _measure(self, images: Tensor, labels: Tensor) -> Point:
        """Everything that a set of pictures shows: see `Point`."""
        z = self._features(images)
        with torch.no_grad():
            right = self.net.head(z[:DRAWN]).argmax(1) == labels[:DRAWN]
        apart = lambda home, away: proxy_a_distance(home, away, size=SAMPLE, splits=SPLITS)
        return Point(images[:, 0].numpy(), self._embed(z[:DRAWN]), right.numpy(), self._accuracy(images, labels),
                     apart(self.home, images), apart(self.home_features, z))

    def compute(self, *, kind: str, severity: float) -> ShiftRecord:
        severity = round(severity, 1)
        if (kind, severity) not in self._seen:
            self._seen[kind, severity] = self._measure(shift(self.away.images, kind, severity), self.away.labels)
        point = self._seen[kind, severity]
        fields = ("accuracy", "pad", "pad_features")
        curves = self.rows and {field: over_seeds(self.rows, kind, field) for field in fields}
        return ShiftRecord(kind, severity, point, point.images[self.first], self.home_z, self.home_accuracy, curves)

    def headline(self, record: ShiftRecord) -> str:
        point = record.point
        lost = 100 * (record.home_accuracy - point.accuracy)
        points = f"≈{lost:.0f} point{'' if round(lost) == 1 else 's'}"
        cost = ("costs nothing" if lost <= 0 else "costs less than half a point of accuracy" if lost < 0.5
                else f"costs {points} of accuracy")
        return (f"{record.kind.capitalize()} {record.severity:.1f}: distance of pixels ≈{point.pad.value:.2f}, and it "
                f"{cost}")

    def describe(self, record: ShiftRecord) -> str:
        point = record.point
        text = (f"Right on ≈{100 * point.accuracy:.1f} %, unshifted on ≈{100 * record.home_accuracy:.1f} %. "
                f"Distance of pixels ≈{point.pad.value:.2f}, of features ≈{point.inner.value:.2f}.")
        return text + " Grey: over the seeds of the study." * bool(record.curves)
