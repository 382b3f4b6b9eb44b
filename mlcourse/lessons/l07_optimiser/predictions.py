"""The predictions of lesson 07, with the answers that its notebook does not show."""

from __future__ import annotations

from mlcourse.exercises.predictions import Prediction

PREDICTIONS = (
    Prediction(
        "07.p1", "Adam with its usual β, at the best of 9 rates and with the better of 2 decays: against plain SGD at "
        "its best rate its mean loss over 100 steps is …",
        ("lower", "not told apart", "higher"), "higher",
        lambda gap: gap.low > 0,
        lambda gap: f"higher, by ≈{gap.mean:.1f} ± {gap.half:.1f}."),
    Prediction(
        "07.p2", "Trained for 100 steps: from step 100 to 500 the learned optimiser's typical loss …",
        ("falls to a hundredth", "falls to about a third", "stays about where it is", "explodes"),
        "stays about where it is",
        lambda ratio: 0.2 < ratio < 3,
        lambda ratio: f"it stays: after 500 steps it is ≈{ratio:.2f} times that after 100."),
    Prediction(
        "07.p3", "Condition number 1, all directions alike: plain SGD is done in a few steps. The learned optimiser, "
        "after 100 …",
        ("is done as well", "has about as much left as on random functions", "has diverged"),
        "has about as much left as on random functions",
        lambda left, random: 0.03 < left / random < 10,
        lambda left, random: f"about as much: ≈{left:.3f}, and ≈{random:.3f} on random functions."),
)
