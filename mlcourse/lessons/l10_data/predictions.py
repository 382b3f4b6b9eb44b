"""The predictions of lesson 10, with the answers that its notebook does not show."""

from __future__ import annotations

from mlcourse.exercises.predictions import Prediction

PREDICTIONS = (
    Prediction(
        "10.p1", "Twenty views of strength 1, the library's default, join each labelled drawing: accuracy …",
        ("falls by more than 3 points", "changes by at most 3 points", "rises by more than 3 points"),
        "falls by more than 3 points",
        lambda wild, mild: wild.high < -3 and mild.low > 0,
        lambda wild, mild: f"it falls: ≈{wild.text(sign=True)} points at strength 1; ≈{mild.text(sign=True)} at ¼."),
    Prediction(
        "10.p2", "On pixels, the set VAE's samples in the support set make the classifier, against as many hand-made "
                 "views, …",
        ("less accurate", "not told apart from it", "more accurate"), "less accurate",
        lambda gain: gain.high < 0,
        lambda gain: f"less accurate: {gain.text(sign=True)} points."),
    Prediction(
        "10.p3",
        "Without samples and without a ridge regression, the set VAE itself is, against the regression with its "
        "samples, …",
        ("less accurate", "not told apart", "more accurate"), "more accurate",
        lambda gain: gain.low > 0,
        lambda gain: f"more accurate: ≈{gain.text(sign=True)} points."),
)
