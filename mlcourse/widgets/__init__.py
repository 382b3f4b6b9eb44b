"""Explorers: controls, a compute function that runs real torch, and a picture that follows."""

from mlcourse.widgets.base import Explorer, sweep
from mlcourse.widgets.inner_loop import InnerLoopExplorer
from mlcourse.widgets.outer_loop import OuterLoopPlayer

__all__ = ["Explorer", "InnerLoopExplorer", "OuterLoopPlayer", "sweep"]
