"""The label-shift dial of lesson 13: other class shares in the target, and what BBSE makes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import ipywidgets
import numpy as np
import torch
from torch import Tensor

from mlcourse import small
from mlcourse.domains import Domain
from mlcourse.episode.across import pixels
from mlcourse.lessons.l13_adaptation import bbse
from mlcourse.lessons.l13_adaptation.scene_label_shift import LabelShiftScene
from mlcourse.nets import LeNet
from mlcourse.studies.transfer.source import parted
from mlcourse.widgets.base import CONTROL, Explorer, columns, labelled

DISTANCES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
LEAST = 1e-9            # weight or share, so that its logarithm and its inverse are finite


class Crossing(NamedTuple):
    """A classifier, the source that it was trained on with seed 0, and the halves of a target; with batch norm it takes
    the target's statistics (AdaBN). held: pictures of the source that trained nothing, for the confusion; None: those
    that were held back."""

    net: LeNet
    source: Domain
    train: Domain
    test: Domain
    held: Domain | None = None


class LabelShiftRecord(NamedTuple):
    """One setting, N classes. true, said, estimate (N,): the shares of labels, of answers and those that BBSE's weights
    imply. at_home, away (N, N): how often each answer (row) is given to each label (column), on source pictures kept
    out of training and on the target's test half. accuracies: on the test half in the true shares, as it is, with
    BBSE's weights and with the true ones."""

    name: str
    distance: float
    true: np.ndarray
    said: np.ndarray
    estimate: np.ndarray
    at_home: np.ndarray
    away: np.ndarray
    accuracies: tuple[float, float, float]


def estimated(said_source: Tensor, y_source: Tensor, said_target: Tensor, classes: int) -> Tensor:
    """BBSE's weights (N,) from answers and labels."""
    return bbse.label_weights(bbse.confusion(said_source, y_source, classes), bbse.shares(said_target, classes))


class LabelShiftDial(Explorer):
    """Choose how far the target's class shares lie from uniform ones, and where the classifier comes from.

    crossings: by name. weigh: (answers and labels of the source, answers in the target, N) → weights (N,). frequent:
    the classes that the shift favours. The classifier sees 280 unlabelled pictures of the target.

        LabelShiftDial({"one domain": Crossing(net, source, train, test)})
    """

    keeps = True

    def __init__(self, crossings: Mapping[str, Crossing], weigh: Callable[..., Tensor] = estimated, *,
                 frequent: tuple[int, ...] = (1, 4, 7), distance: float = 0.6, seed: int = 0):
        self.crossings, self.weigh, self.frequent, self.seed = crossings, weigh, frequent, seed
        self._seen: dict[tuple[str, float], LabelShiftRecord] = {}
        names = list(crossings)
        controls = {
            "crossing": ipywidgets.ToggleButtons(options=names, value=names[0], style={"button_width": "13em"}),
            "distance": ipywidgets.SelectionSlider(options=[(f"{d:g}", d) for d in DISTANCES], value=distance,
                                                   description="label distance", **CONTROL),
        }
        classes = next(iter(crossings.values())).source.classes
        super().__init__(LabelShiftScene(classes), controls,
                         columns([labelled("source → target", controls["crossing"]), controls["distance"]], 2))

    def compute(self, *, crossing: str, distance: float) -> LabelShiftRecord:
        if (crossing, distance) not in self._seen:
            self._seen[crossing, distance] = self.measured(crossing, distance)
        return self._seen[crossing, distance]

    def measured(self, crossing: str, distance: float) -> LabelShiftRecord:
        """The record of a setting."""
        net, source, train, test, held = self.crossings[crossing]
        n = len(source.classes)
        q = small.proportions(n, self.frequent, distance)
        back, rest = parted(source, 0)
        held = back if held is None else held
        known, seen = small.known(rest, self.seed), pixels(small.drawn(train, q, small.UNLABELED, self.seed).images)
        said_home = small.views(net, known, pixels(held.images), None).logits.argmax(1)
        logits = small.views(net, known, torch.cat([seen, pixels(test.images)]), seen).logits
        said, logits = logits[:len(seen)].argmax(1), logits[len(seen):]
        w = torch.as_tensor(self.weigh(said_home, held.labels, said, n), dtype=torch.float64)
        p = bbse.shares(held.labels, n)
        weighted = lambda w: logits + w.clamp(min=LEAST).log().to(logits)
        right = lambda w: float(q @ small.class_accuracies(weighted(w), test.labels))
        by_label = lambda answers, labels: (bbse.confusion(answers, labels, n)
                                            / bbse.shares(labels, n).clamp(min=LEAST)).numpy()
        return LabelShiftRecord(
            crossing, distance, q.numpy(), bbse.shares(said, n).numpy(), (w * p).numpy(),
            by_label(said_home, held.labels), by_label(logits.argmax(1), test.labels),
            (right(torch.ones_like(q)), right(w), right(q * n)))

    def headline(self, record: LabelShiftRecord) -> str:
        before, after, _ = (100 * each for each in record.accuracies)
        return (f"{record.name}, label distance {record.distance:g}: BBSE takes the accuracy from ≈{before:.0f} to "
                f"≈{after:.0f} %")

    def describe(self, record: LabelShiftRecord) -> str:
        apart = lambda a, b: np.abs(a - b).sum() / 2
        said, estimate = (apart(shares, record.true) for shares in (record.said, record.estimate))
        return (f"The true shares would give ≈{100 * record.accuracies[2]:.0f} %. The answers' shares lie ≈{said:.2f} "
                f"from the true ones, BBSE's ≈{estimate:.2f}.")
