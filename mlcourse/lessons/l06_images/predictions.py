"""The predictions of lesson 06, with the answers that its notebook does not show."""

from __future__ import annotations

from mlcourse.exercises.predictions import Prediction

PREDICTIONS = (
    Prediction(
        "06.p1", "In company, 75 queries at a time, the network of the explorer is right on about 95 % of them. And one at a "
        "time?",
        ("on as many", "on 1 to 5 points fewer", "on more than 10 points fewer"), "on more than 10 points fewer",
        lambda company, alone: company - alone > 10,
        lambda company, alone: f"≈{company:.0f} % in company, ≈{alone:.0f} % alone."),
)
