"""The predictions of lesson 04, with the answers that its notebook does not show."""

from __future__ import annotations

from mlcourse.exercises.predictions import Prediction

PREDICTIONS = (
    Prediction(
        "04.p1", "For a small α MAML's arrow is the mean gradient, less 2α times a second term. FOMAML has no matrix: "
        "how much of that term has it?",
        ("none", "half", "all"), "half",
        lambda maml, fomaml: abs(maml + 2) < 0.02 and abs(fomaml + 1) < 0.01,
        lambda maml, fomaml: f"half: ≈{fomaml:.2f}, where MAML has ≈{maml:.2f}."),
    Prediction(
        "04.p2", "With k = 1, plain gradient steps and all samples of a task in each, Reptile is …",
        ("FOMAML", "joint training", "an algorithm of its own"), "joint training",
        lambda off: off < 1e-5,
        lambda off: f"joint training at the rate αβ; the largest difference of a weight is ≈{off:.0e}."),
    Prediction(
        "04.p3", "Then MAML has trained. At its θ, where MAML's arrow is short, FOMAML's is …",
        ("shorter than MAML's", "as long, in the same direction", "longer, in another direction"),
        "longer, in another direction",
        lambda length, angle: length > 1.02 and angle > 30,
        lambda length, angle: f"≈{length:.1f} times as long and turned by ≈{angle:.0f}°: FOMAML would leave this θ."),
)
