"""The explorers of the lesson, each with something to show: for the benchmark and the browser tests."""

from __future__ import annotations

from mlcourse.lessons.l06_images.widget_companions import Companions
from mlcourse.lessons.l06_images.widget_inspector import EpisodeInspector


def inspector() -> EpisodeInspector:
    """At an episode of new scripts."""
    return EpisodeInspector()


def companions() -> Companions:
    """A query that company helps."""
    return Companions()
