"""The predictions of lesson 16, and what happened."""

from __future__ import annotations

from mlcourse.exercises.predictions import Prediction

PREDICTIONS = (
    Prediction(
        "16.p1", "Raw pixels, across: how often is the nearest the right one of five?",
        ("about 60 %", "about 40 %", "about 20 %", "clearly below 20 %"), "clearly below 20 %",
        lambda pixels, inverted: pixels < 0.12 and inverted > 0.4,
        lambda pixels, inverted: f"clearly below, ≈{100 * pixels:.0f} %: chalk is light on dark, so where shapes agree "
                                 f"pixels disagree. With ink and ground exchanged: ≈{100 * inverted:.0f} %."),
    Prediction(
        "16.p2", "Both on paper, pixels are right 63 times in 100, and ProtoNet, trained with labels, 95 times. And "
        "SimCLR, without a label, after 150 steps?",
        ("below pixels", "63 to 67", "67 to 85", "above 85"), "67 to 85",
        lambda simclr, pixels: 0.67 < simclr < 0.85 and simclr > pixels + 0.03,
        lambda simclr, pixels: f"≈{100 * simclr:.0f} %, pixels ≈{100 * pixels:.0f} %."),
    Prediction(
        "16.p3", "ProtoNet, with one encoder, is trained on the very pairs of the two encoders: support on paper, "
        "queries in chalk. How often is it right across?",
        ("as often as they", "about 50 %", "about 20 %"), "about 20 %",
        lambda protonet, two: protonet < 0.3 < 0.8 < two,
        lambda protonet, two: f"{100 * protonet:.0f} %, near chance, where the two encoders reach {100 * two:.0f} %."),
    Prediction(
        "16.p4", "Trained on exact pairs, tested across hands: retrieval is",
        ("better", "about the same", "worse"), "worse",
        lambda exact, hands: exact < hands,
        lambda exact, hands: f"worse: right {100 * exact:.0f} times in 100, against {100 * hands:.0f}."),
)
