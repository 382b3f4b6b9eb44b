"""Explorers: controls, a compute function that runs real torch, and a picture that follows."""

from mlcourse.widgets.base import Explorer, sweep
from mlcourse.widgets.inner_loop import InnerLoopExplorer

__all__ = ["Explorer", "InnerLoopExplorer", "sweep"]
