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
        "08.p2", "20 characters of one alphabet, one drawing of each, and people err on 4.5 % of new drawings. Our "
                 "ProtoNet, trained for some minutes, errs on …",
        ("fewer", "about twice as many", "about five times as many"), "about twice as many",
        lambda ours: ours.low > 4.5 and 6 < ours.mean < 14,
        lambda ours: f"{ours.text()} % on our runs, which may be easier than those that people had."),
    Prediction(
        "08.p3", "Trained without episodes, tested as ProtoNet is, NCA is …",
        ("more accurate", "not told apart", "less accurate"), "not told apart",
        lambda gap: gap.low < 0 < gap.high,
        lambda gap: f"{gap.text(sign=True)} points against ProtoNet, 1-shot."),
)
