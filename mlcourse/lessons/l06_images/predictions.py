"""The predictions of lesson 06, with the answers that its notebook does not show."""

from __future__ import annotations

from mlcourse.exercises.predictions import Prediction

PREDICTIONS = (
    Prediction(
        "06.p1", "In company, 75 queries at a time, the network of the explorer is right on about 95 % of them. And "
                 "one at a "
        "time?",
        ("on as many", "on 1 to 5 points fewer", "on more than 10 points fewer"), "on more than 10 points fewer",
        lambda company, alone: company - alone > 10,
        lambda company, alone: f"≈{company:.0f} % in company, ≈{alone:.0f} % alone."),
    Prediction(
        "06.p2", "MAML, 75 queries in company. At test, let the running statistics of training normalise, as eval() "
                 "does in "
        "PyTorch. It is right on …",
        ("as many", "5 to 20 points fewer", "more than 20 points fewer"), "more than 20 points fewer",
        lambda batch, running: batch - running > 20,
        lambda batch, running: f"{batch:.0f} % by the batch, {running:.0f} % by running statistics."),
    Prediction(
        "06.p3", "MAML, trained so, and then asked for characters of new scripts, with labels dealt anew, is …",
        ("as good as if it had always had new labels", "worse, and far above chance", "at chance"),
        "worse, and far above chance",
        lambda gap, level: gap.high < 0 and level.low > 20,
        lambda gap, level: f"{level.text()} %, {-gap.mean:.1f} ± {gap.half:.1f} points worse."),
    Prediction(
        "06.p4", "How far above 80 % is the best of the twenty, on average?",
        ("less than 0.5 points", "1 to 3 points", "more than 5 points"), "1 to 3 points",
        lambda best: 1 < best < 3,
        lambda best: f"≈{best:.1f} points, all of them luck."),
)
