"""The explorer of lesson 06: one query, the pictures that share its batch, and what they do to its prediction."""

from __future__ import annotations

from typing import NamedTuple

import ipywidgets
import numpy as np

from mlcourse.lessons.l06_images import companions as batch
from mlcourse.lessons.l06_images.companions import FIVE, KINDS, MOST, QUERIES, Seen
from mlcourse.lessons.l06_images.scene_companions import CompanionsScene
from mlcourse.plots.style import plural
from mlcourse.widgets.base import CONTROL, Explorer, columns, labelled


class CompanionsRecord(NamedTuple):
    """One setting. which, kind, count: the controls. label: of the query, 0 to 4. picture (28, 28), support
    (5, 28, 28), company (count, 28, 28): in [0, 1]. ways: by name what the network makes of the query: alone, in
    company, and with the statistics of the support set."""

    which: int
    kind: str
    count: int
    label: int
    picture: np.ndarray
    support: np.ndarray
    company: np.ndarray
    ways: dict[str, Seen]


ALONE, COMPANY, SUPPORT = "alone", "in company", "by the support set"


class Companions(Explorer):
    """Choose a query and the companions in its batch, and see what batch norm makes of it.

    The network is a small ProtoNet with batch norm, from a checkpoint; the episode is one of new characters.

        Companions(kind="noise")
    """

    keeps = True

    def __init__(self, *, which: int = 4, kind: str = FIVE, count: int = MOST):
        controls = {
            "which": ipywidgets.IntSlider(value=which, min=1, max=QUERIES, description="query", **CONTROL),
            "count": ipywidgets.IntSlider(value=count, min=0, max=MOST, description="companions", **CONTROL),
            "kind": ipywidgets.ToggleButtons(options=KINDS, value=kind, style={"button_width": "8em"}),
        }
        self._seen: dict[tuple, CompanionsRecord] = {}
        super().__init__(CompanionsScene((ALONE, COMPANY, SUPPORT)), controls, ipywidgets.VBox([
            labelled("they are", controls["kind"]), columns([controls["which"], controls["count"]], 2)]))

    def compute(self, *, which: int, kind: str, count: int) -> CompanionsRecord:
        key = which, kind, count
        if key not in self._seen:
            self._seen[key] = self.measured(which, kind, count)
        return self._seen[key]

    def measured(self, which: int, kind: str, count: int) -> CompanionsRecord:
        """The record of a setting."""
        at, task = which - 1, batch.episode()
        x, label = batch.query(at)
        order = task.support_y.argsort()
        return CompanionsRecord(
            which, kind, count, label, x[0, 0].numpy(), task.support_x[order, 0].numpy(),
            batch.company(at, kind, count)[:, 0].numpy(),
            {ALONE: batch.alone(at), COMPANY: batch.among(at, kind, count), SUPPORT: batch.by_support(at)})

    def headline(self, record: CompanionsRecord) -> str:
        p = {name: f"≈{float(way.probabilities[record.label]):.2f}" for name, way in record.ways.items()}
        company = f"with {plural(record.count, 'companion')}{f' ({record.kind})' * bool(record.count)}"
        return f"Query {record.which}: its own class has probability {p[ALONE]} alone, {p[COMPANY]} {company}"

    def describe(self, record: CompanionsRecord) -> str:
        support = float(record.ways[SUPPORT].probabilities[record.label])
        said = [f"{name} ≈{int(way.probabilities.argmax())}" for name, way in record.ways.items()]
        return f"By the support set's statistics ≈{support:.2f}. Answered: {', '.join(said)}."
