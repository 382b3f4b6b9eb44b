"""The explorers of the lesson, each with something to show: for the benchmark and the browser tests."""

from __future__ import annotations

from mlcourse.lessons.l03_maml.widget_inner_loop import InnerLoopExplorer
from mlcourse.lessons.l03_maml.widget_outer_loop import OuterLoopPlayer
from mlcourse.nets import MLP


def inner_loop() -> InnerLoopExplorer:
    """Two random starting points."""
    return InnerLoopExplorer({"random": MLP(seed=0), "other": MLP(seed=1)})


def outer_loop() -> OuterLoopPlayer:
    """A player with something to rewind."""
    player = OuterLoopPlayer()
    player.step(200)
    return player
