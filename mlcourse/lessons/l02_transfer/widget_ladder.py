"""The freeze ladder of lesson 02: keep so many blocks of a network from a source, and solve a head for the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import ipywidgets
import numpy as np
import torch

from mlcourse import statistics
from mlcourse.domains import Domain
from mlcourse.lessons.l02_transfer.figures import fine_tuning
from mlcourse.lessons.l02_transfer.ladder import LABELS, PENALTY, Ladder, Target
from mlcourse.lessons.l02_transfer.scene_ladder import SHOWN, LadderScene
from mlcourse.lessons.l02_transfer.sources import DEPTHS, NONE, SOURCES, stored
from mlcourse.lessons.l02_transfer.study_freeze import CHOOSING, RIDGE, regime, target
from mlcourse.nets import Conv4
from mlcourse.small import SIDE
from mlcourse.statistics import Estimate, t_interval
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

    rows: those of `mlcourse study freeze`, for the λ that it chose and for the accuracy without a source; without them
    λ is one share everywhere. bodies: networks by source, by default those that are stored. halves: the target's
    pictures to learn from and to be judged on, by default those of the study's seed 0. Every accuracy is that of a
    ridge head, solved when it is asked for and then kept, on 400 pictures of the target.

        FreezeLadder(rows, source="typeset", labels=5)
    """

    keeps = True

    def __init__(self, rows: Sequence[dict] = (), *, bodies: Mapping[str, Conv4] | None = None,
                 halves: tuple[Domain, Domain] | None = None, source: str = "typeset", depth: int = 2, labels: int = 5):
        self.scratch = without_a_source(rows)
        self.penalties = {(row["source"], row["arm"], row["k"]): row["penalty"] for row in rows
                          if row["seed"] == CHOOSING and "penalty" in row}
        train, test = halves or target(0)
        self.bodies, self.target = bodies, Target(train, test)
        self._ladders: dict[str, Ladder] = {}
        self._pictures: dict[str, np.ndarray] = {}
        names = list(bodies or SOURCES)
        controls = {
            "source": ipywidgets.ToggleButtons(options=names, value=source, style={"button_width": "6.5em"}),
            "depth": ipywidgets.IntSlider(value=depth, min=0, max=len(DEPTHS) - 1, description="blocks kept",
                                          **CONTROL),
            "labels": ipywidgets.SelectionSlider(options=LABELS, value=labels, description="labels of a class",
                                                 **CONTROL),
        }
        lines = [labelled("source", controls["source"]), columns([controls["depth"], controls["labels"]], 2)]
        super().__init__(LadderScene(shown(test), self._curve()), controls, ipywidgets.VBox(lines))

    def _curve(self) -> tuple | None:
        if not self.scratch:
            return None
        return list(self.scratch), *statistics.columns(self.scratch.values())

    def ladder(self, name: str) -> Ladder:
        """That of a source, or of the untrained network."""
        if name not in self._ladders:
            net = self.bodies[name] if self.bodies and name != NONE else stored(name)
            penalty = lambda depth, k: self.penalties.get(
                (name if depth else NONE, f"{RIDGE}{depth}", regime(k)), PENALTY)
            self._ladders[name] = Ladder(net, self.target, penalty)
        return self._ladders[name]

    def pictures(self, name: str) -> np.ndarray:
        """Some of a source."""
        if name not in self._pictures:
            blank = np.zeros((SHOWN, SIDE, SIDE), np.uint8)
            self._pictures[name] = shown(SOURCES[name]()) if name in SOURCES else blank
        return self._pictures[name]

    def compute(self, *, source: str, depth: int, labels: int) -> LadderRecord:
        own, other = self.ladder(source), self.ladder(NONE)
        over = lambda ladder, depth: np.array([ladder.ridge_accuracy(depth, k) for k in LABELS])
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


def without_a_source(rows: Sequence[dict]) -> dict[int, Estimate]:
    """{labels of each class: accuracy (%) over seeds} of training from scratch: fine-tuning from random weights."""
    found = {k: [row["accuracy"] for row in rows
                 if (row["source"], row["arm"], row["k"]) == (NONE, fine_tuning(rows, k), k)
                 and row["seed"] != CHOOSING]
             for k in LABELS}
    return {k: t_interval(values) for k, values in found.items() if values}


def shown(domain: Domain) -> np.ndarray:
    """uint8 (SHOWN, S, S): pictures of as many classes as there are, up to SHOWN."""
    classes = len(domain.classes)
    wanted = [int(torch.nonzero(domain.labels == (c * max(1, classes // SHOWN)) % classes)[c // classes, 0])
              for c in range(SHOWN)]
    return domain.images[wanted, 0].numpy()
