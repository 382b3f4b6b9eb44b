"""The predictions of lesson 11, with the answers that its notebook does not show."""

from __future__ import annotations

from mlcourse.exercises.predictions import Prediction

PREDICTIONS = (
    Prediction(
        "11.p1", "The explorer's pool gained ≈2.7 points on the labelled drawings alone. Hard pseudo-labels, on the "
        "same pools, gain …",
        ("next to nothing", "about half as much", "nearly as much"), "nearly as much",
        lambda gap: gap.low > 1.35,
        lambda gap: f"nearly as much: ≈{gap.text()} points."),
    Prediction(
        "11.p2", "Soft k-means is trained further, for 500 steps, with five other classes in every pool. Tested with "
        "such pools, against a ProtoNet that is trained as long without pools, it is …",
        ("more accurate", "not told apart from it", "less accurate"), "less accurate",
        lambda gap: gap.high < 0,
        lambda gap: f"less accurate: {gap.text(sign=True)} points."),
    Prediction(
        "11.p3", "The pool still has 25 drawings of the five classes and no others, but in uneven proportions "
        "(concentration 0.5). Against ProtoNet, which uses no pool, balanced assignment …",
        ("still gains", "neither gains nor loses", "loses less than 5 points", "loses more than 5 points"),
        "loses more than 5 points",
        lambda gap: gap.high < -5,
        lambda gap: f"loses more than 5 points: {gap.text(sign=True)}."),
)
