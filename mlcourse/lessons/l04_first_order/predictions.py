"""The predictions of lesson 04, with the answers that its notebook does not show."""

from __future__ import annotations

from mlcourse.exercises.predictions import Prediction

PREDICTIONS: tuple[Prediction, ...] = ()
