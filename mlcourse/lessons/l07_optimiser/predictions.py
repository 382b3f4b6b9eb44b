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
        "07.p2", "After 100 steps the learned optimiser has less left than the Adam tuned for the mean loss. After "
        "500, Adam's rate falling over all of them, it has …",
        ("less", "about as much", "more"), "more",
        lambda gap: gap.low > 0,
        lambda gap: f"more, ≈{10**gap.mean:.1f} times as much."),
    Prediction(
        "07.p3", "Condition number 1: all directions are alike, and within 100 steps SGD brings the loss below 1e-9. "
        "The learned optimiser, after 100 steps and after 500, has a loss …",
        ("below 1e-9, too", "between 0.001 and 0.01", "above that at the start"), "between 0.001 and 0.01",
        lambda left, sgd: sgd < 1e-9 and 1e-3 < min(left) and max(left) < 1e-2,
        lambda left, sgd: f"it has ≈{left[0]:.2g} after 100 steps and ≈{left[1]:.2g} after 500."),
)
