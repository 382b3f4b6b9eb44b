"""The predictions of lesson 06, with the answers that its notebook does not show."""

from __future__ import annotations

from mlcourse.exercises.predictions import Prediction

PREDICTIONS = (
    Prediction(
        "06.p1",
        "With batch norm and 75 queries at a time, a small ProtoNet is right on about 97 %. And one at a time?",
        ("on as many", "on 1 to 5 points fewer", "on more than 10 points fewer"), "on more than 10 points fewer",
        lambda company, alone: company - alone > 10,
        lambda company, alone: f"≈{company:.0f} % in company, ≈{alone:.0f} % alone."),
    Prediction(
        "06.p2", "On new scripts, with labels dealt anew, this MAML is …",
        ("as good as if it had always had new labels", "worse, and far above chance", "at chance"),
        "worse, and far above chance",
        lambda gap, level: gap.high < 0 and level.low > 20,
        lambda gap, level: f"{level.text()} %, {-gap.mean:.1f} ± {gap.half:.1f} points worse."),
    Prediction(
        "06.p3", "How far above 80 % is the best of the twenty, on average?",
        ("less than 0.5 points", "1 to 3 points", "more than 5 points"), "1 to 3 points",
        lambda best: 1 < best < 3,
        lambda best: f"≈{best:.1f} points, all of them luck."),
)
