"""The freeze ladder of lesson 02: keep so many blocks of a network from a source, and solve a head for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import ipywidgets
import numpy as np
import torch

from mlcourse.datasets import Form, load
from mlcourse.domains import Domain
from mlcourse.lessons.l02_transfer.ladder import LABELS, Ladder, Target
from mlcourse.lessons.l02_transfer.scene_ladder import SHOWN, LadderScene
from mlcourse.lessons.l02_transfer.sources import DEPTHS, NONE, SOURCES, stored
from mlcourse.nets import Conv4
from mlcourse.small import SIDE
from mlcourse.statistics import Estimate
from mlcourse.widgets.base import CONTROL, Explorer, columns, labelled


class LadderRecord(NamedTuple):
    """One setting. depths, random_depths (5,): accuracy with so many blocks kept of the source's network, and of the
    untrained one, at k labels of each class; labels, random_labels, pixels (6,): at the chosen depth, and at depth 0,
    with 1 to 50 labels. pictures: uint8 (SHOWN, S, S) of the source. scratch: accuracy (%) without a source at k, None
    where it was not measured."""

    source: str
    depth: int
    k: int
    depths: np.ndarray
    random_depths: np.ndarray
    labels: np.ndarray
    random_labels: np.ndarray
    pixels: np.ndarray
    pictures: np.ndarray
    scratch: float | None


class FreezeLadder(Explorer):
    """Choose a source, how many blocks of its network are kept, and how many labels the target has.

    scratch: {labels of each class: accuracy in %} of a network trained on the target alone, over the seeds of the
    study. bodies: networks by source, by default those that are stored. Every accuracy is that of a ridge head, solved
    when it is asked for and then kept, on 400 pictures of the target.

        FreezeLadder(source="typeset", labels=5)
    """

    keeps = True

    def __init__(self, scratch: Mapping[int, Estimate] | None = None, *, bodies: Mapping[str, Conv4] | None = None,
                 target: Domain | None = None, source: str = "typeset", depth: int = 2, labels: int = 5):
        self.scratch = dict(scratch or {})
        target = target or load("digits", form=Form(SIDE))
        self.bodies, self.target = bodies, Target(target)
        self._ladders: dict[str, Ladder] = {}
        self._pictures: dict[str, np.ndarray] = {}
        names = list(bodies or SOURCES)
        controls = {
            "source": ipywidgets.ToggleButtons(options=names, value=source, style={"button_width": "6.5em"}),
            "depth": ipywidgets.IntSlider(value=depth, min=0, max=len(DEPTHS) - 1, description="blocks kept", **CONTROL),
            "labels": ipywidgets.SelectionSlider(options=LABELS, value=labels, description="labels of a class",
                                                 **CONTROL),
        }
        lines = [labelled("source", controls["source"]), columns([controls["depth"], controls["labels"]], 2)]
        super().__init__(LadderScene(shown(target), self._curve()), controls, ipywidgets.VBox(lines))

    def _curve(self) -> tuple[np.ndarray, ...] | None:
        if not self.scratch:
            return None
        k = [each for each in LABELS if each in self.scratch]
        return k, np.array([self.scratch[each].mean for each in k]), np.array([self.scratch[each].half for each in k])

    def ladder(self, name: str) -> Ladder:
        """That of a source, or of the untrained network."""
        if name not in self._ladders:
            net = self.bodies[name] if self.bodies and name != NONE else stored(name)
            self._ladders[name] = Ladder(net, self.target)
        return self._ladders[name]

    def pictures(self, name: str) -> np.ndarray:
        """Some of a source."""
        if name not in self._pictures:
            self._pictures[name] = shown(SOURCES[name]()) if name in SOURCES else np.zeros((SHOWN, SIDE, SIDE), np.uint8)
        return self._pictures[name]

    def compute(self, *, source: str, depth: int, labels: int) -> LadderRecord:
        own, other = self.ladder(source), self.ladder(NONE)
        over = lambda ladder, depth: np.array([ladder.accuracy(depth, k) for k in LABELS])
        scratch = self.scratch[labels].mean if labels in self.scratch else None
        return LadderRecord(source, depth, labels, np.array(own.by_depth(labels)), np.array(other.by_depth(labels)),
                            over(own, depth), over(other, depth), over(other, 0), self.pictures(source), scratch)

    def headline(self, record: LadderRecord) -> str:
        labels = "1 label" if record.k == 1 else f"{record.k} labels"
        more = 100 * (record.depths[record.depth] - record.depths[0])
        against = ("" if record.depth == 0 else
                   f", ≈{abs(more):.0f} points {'more' if more >= 0 else 'less'} than from pixels")
        kept = {0: "pixels alone", 1: "1 block kept"}.get(record.depth, f"{record.depth} blocks kept")
        return (f"{record.source.capitalize()}, {kept}, {labels} of a class: right on "
                f"≈{100 * record.depths[record.depth]:.0f} %{against}")

    def describe(self, record: LadderRecord) -> str:
        best = int(record.depths.argmax())
        text = (f"The best cut here: {DEPTHS[best]}, ≈{100 * record.depths[best]:.0f} %. Random weights at your cut: "
                f"≈{100 * record.random_depths[record.depth]:.0f} %.")
        return text + (f" No source, all trained: {record.scratch:.0f} %." if record.scratch is not None else "")


def shown(domain: Domain) -> np.ndarray:
    """uint8 (SHOWN, S, S): pictures of as many classes as there are, up to SHOWN."""
    classes = len(domain.classes)
    wanted = [int(torch.nonzero(domain.labels == (c * max(1, classes // SHOWN)) % classes)[c // classes, 0])
              for c in range(SHOWN)]
    return domain.images[wanted, 0].numpy()
