"""The explorers of the lesson, each with something to show: for the benchmark and the browser tests."""

from __future__ import annotations

from mlcourse.lessons.l09_memory.widget_stream import EpisodeStream
from mlcourse.lessons.l09_memory.widget_tape import MemoryTape


def memory_tape() -> MemoryTape:
    """A copy of ten items."""
    return MemoryTape()


def episode_stream() -> EpisodeStream:
    """After some pictures."""
    return EpisodeStream()
