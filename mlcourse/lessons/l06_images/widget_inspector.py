"""The episode inspector of lesson 06: what is in an episode, and how many of its queries prototypes get right."""

from __future__ import annotations

from typing import NamedTuple

import ipywidgets
import numpy as np

from mlcourse.lessons.l06_images import inspector
from mlcourse.lessons.l06_images.inspector import EPISODES, LABELLINGS, NEW, SHOTS, SPLITS
from mlcourse.lessons.l06_images.scene_inspector import InspectorScene
from mlcourse.widgets.base import CONTROL, Explorer, columns, labelled


class EpisodeRecord(NamedTuple):
    """One episode. number, shot, split: the controls. names: of the classes, by label. support: by label its pictures
    (shot, 28, 28); queries (15, 28, 28); truth (15,): their labels; said: by what is compared, "pixels" or "network",
    the labels (15,) of the nearest prototypes."""

    number: int
    shot: int
    split: str
    names: tuple[str, ...]
    support: tuple[np.ndarray, ...]
    queries: np.ndarray
    truth: np.ndarray
    said: dict[str, np.ndarray]

    def right(self, name: str) -> int:
        """How many of the queries are right."""
        return int((self.said[name] == self.truth).sum())


class EpisodeInspector(Explorer):
    """Draw episodes, deal their labels anew, and see which queries the nearest prototype gets right.

        EpisodeInspector(shot=1)
    """

    keeps = True

    def __init__(self, *, episode: int = 1, shot: int = 1, split: str = NEW):
        controls = {
            "split": ipywidgets.ToggleButtons(options=list(SPLITS), value=split, style={"button_width": "9em"}),
            "episode": ipywidgets.IntSlider(value=episode, min=1, max=EPISODES, description="episode", **CONTROL),
            "shot": ipywidgets.IntSlider(value=shot, min=1, max=SHOTS, description="shot K", **CONTROL),
            "labelling": ipywidgets.IntSlider(value=0, min=0, max=LABELLINGS - 1, description="deal labels anew",
                                              **CONTROL),
        }
        self._seen: dict[tuple, EpisodeRecord] = {}
        rest = [controls[name] for name in ("episode", "shot", "labelling")]
        super().__init__(InspectorScene(), controls, ipywidgets.VBox([
            labelled("characters of", controls["split"]), columns(rest, 3)]))

    def compute(self, *, split: str, episode: int, shot: int, labelling: int) -> EpisodeRecord:
        key = split, episode, shot, labelling
        if key not in self._seen:
            self._seen[key] = self.measured(split, episode, shot, labelling)
        return self._seen[key]

    def measured(self, split: str, number: int, shot: int, labelling: int) -> EpisodeRecord:
        """The record of a setting."""
        episode, names = inspector.draw(number, shot, split, labelling)
        support = tuple(episode.support_x[episode.support_y == c, 0].numpy() for c in range(len(names)))
        said = {name: labels.numpy() for name, labels in inspector.answers(episode).items()}
        return EpisodeRecord(number, shot, split, names, support, episode.query_x[:, 0].numpy(),
                             episode.query_y.numpy(), said)

    def headline(self, record: EpisodeRecord) -> str:
        return (f"Episode {record.number}, {record.split}: of {len(record.truth)} queries a network gets "
                f"≈{record.right('network')} right, bare pixels ≈{record.right('pixels')}")

    def describe(self, record: EpisodeRecord) -> str:
        names = ", ".join(f"{label} {name}" for label, name in enumerate(record.names))
        return f"Labels: {names}."
