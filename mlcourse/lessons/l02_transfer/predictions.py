"""The predictions of lesson 02, and what happened."""

from __future__ import annotations

from mlcourse.exercises.predictions import Prediction

PREDICTIONS: tuple[Prediction, ...] = ()
