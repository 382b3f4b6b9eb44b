"""Explorers: controls, a compute function that runs real torch, and a picture that follows. Each lesson has its own."""

from mlcourse.exercises.predictions import claim
from mlcourse.widgets.bar import Bar, train_live
from mlcourse.widgets.base import Explorer, sweep
from mlcourse.widgets.predict import Predict, outcome

__all__ = ["Bar", "Explorer", "Predict", "claim", "outcome", "sweep", "train_live"]
