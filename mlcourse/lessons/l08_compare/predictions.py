"""The predictions of lesson 08, with the answers that its notebook does not show."""

from __future__ import annotations

from mlcourse.exercises.predictions import Prediction

PREDICTIONS = (
    Prediction(
        "08.p1", "The same network, trained as long with cosines: on new scripts it is …",
        ("within 5 points of ProtoNet", "5 to 15 points worse", "more than 15 points worse"),
        "more than 15 points worse",
        lambda gap: gap.high < -15,
        lambda gap: f"≈{gap.text(sign=True)} points against ProtoNet."),
    Prediction(
        "08.p2", "People err on 4.5 % of these. On the same runs a published ProtoNet errs on …",
        ("fewer", "about three times as many", "about eight times as many"), "about three times as many",
        lambda published, people: 2.5 < published / people < 3.5,
        lambda published, people: f"{published:g} %, and people on {people:g}."),
    Prediction(
        "08.p3", "On as many pictures, without episodes, and tested 1-shot as ProtoNet is, NCA is …",
        ("less accurate than ProtoNet", "not told apart from it", "more accurate"), "more accurate",
        lambda gap: gap.low > 0,
        lambda gap: f"more accurate: {gap.text(sign=True)} points, 1-shot."),
)
