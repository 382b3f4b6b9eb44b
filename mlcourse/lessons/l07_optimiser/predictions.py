"""The predictions of lesson 07, with the answers that its notebook does not show."""

from __future__ import annotations

from mlcourse.exercises.predictions import Prediction

PREDICTIONS = (
    Prediction(
        "07.p1", "Adam with its usual β, at its best rate and decay, against plain SGD at its best: Adam's mean "
        "loss over 100 steps is …",
        ("lower", "not told apart", "higher"), "higher",
        lambda gap: gap.low > 0,
        lambda gap: f"higher, by ≈{gap.mean:.1f} ± {gap.half:.1f}."),
    Prediction(
        "07.p2", "After 100 steps the learned optimiser has no more left than Adam with its β tuned. After 500 it has …",
        ("less", "about as much", "more"), "more",
        lambda gap: gap.low > 0,
        lambda gap: f"more, ≈{10**gap.mean:.1f} times as much."),
    Prediction(
        "07.p3", "Condition number 1: all directions alike, and SGD has nothing left within 100 steps. The learned "
        "optimiser has …",
        ("nothing left either", "a thousandth left, and stays there", "diverged"), "a thousandth left, and stays there",
        lambda left, sgd: sgd < 1e-9 < 1e-5 < left < 1,
        lambda left, sgd: f"it stays at ≈{left:.4f}, where SGD has less than ≈1e-9."),
)
