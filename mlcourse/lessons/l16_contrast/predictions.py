"""The predictions of lesson 16, and what happened."""

from __future__ import annotations

from mlcourse.exercises.predictions import Prediction

PREDICTIONS = (
    Prediction(
        "16.p1", "Raw pixels, support on paper, queries in chalk. How often is the nearest the right one of five?",
        ("about 60 %", "about 40 %", "about 20 %, as by chance", "clearly below 20 %"), "clearly below 20 %",
        lambda pixels, inverted: pixels < 0.12 and inverted > 0.4,
        lambda pixels, inverted: f"clearly below, ≈{100 * pixels:.0f} %. Chalk is light on dark, so where two pictures "
                                 f"agree in shape their pixels disagree. With its ink and ground exchanged: "
                                 f"≈{100 * inverted:.0f} %."),
    Prediction(
        "16.p2", "On characters of held-out scripts raw pixels are right about 63 times in 100, and ProtoNet, trained "
        "with labels, about 95 times. Where will SimCLR be, without any label?",
        ("below pixels", "between 63 and 70", "between 70 and 90", "above 90"), "between 70 and 90",
        lambda simclr, pixels: 0.7 < simclr < 0.9 and simclr > pixels + 0.07,
        lambda simclr, pixels: f"≈{100 * simclr:.0f} %, pixels ≈{100 * pixels:.0f} %, from one short training."),
    Prediction(
        "16.p3", "ProtoNet is trained on the very pairs of the two encoders, in as many steps: one encoder, 64-way, support "
        "on paper, queries in chalk. How often is it right across, on new characters?",
        ("about as often as the two encoders", "about 50 %", "about 20 %, as by chance"), "about 20 %, as by chance",
        lambda protonet, two: protonet < 0.3 < 0.8 < two,
        lambda protonet, two: f"{100 * protonet:.0f} %, near chance, where the two encoders reach {100 * two:.0f} %."),
    Prediction(
        "16.p4", "Train on pairs of one drawing, a picture and its own stroke, then test across hands. Compared with "
        "pairs of different hands, retrieval is",
        ("better, for the pairs are exact", "about the same", "worse"), "worse",
        lambda exact, hands: exact < hands,
        lambda exact, hands: f"worse: right {100 * exact:.0f} times in 100, against {100 * hands:.0f}."),
)
