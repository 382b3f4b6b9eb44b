"""The predictions of lesson 04, with the answers that its notebook does not show."""

from __future__ import annotations

from mlcourse.exercises.predictions import Prediction

PREDICTIONS = (
    Prediction(
        "04.p1", "FOMAML has no matrix. How much of MAML's second term is in its meta-gradient?",
        ("none", "half", "all"), "half",
        lambda maml, fomaml: abs(maml + 2) < 0.02 and abs(fomaml + 1) < 0.01,
        lambda maml, fomaml: f"half: ≈{fomaml:.2f}, where MAML has ≈{maml:.2f}."),
    Prediction(
        "04.p2", "With k = 1, plain gradient steps and all samples of a task in each, Reptile is …",
        ("FOMAML", "joint training", "an algorithm of its own"), "joint training",
        lambda off: off < 1e-5,
        lambda off: f"joint training at the rate αβ; the largest difference of a weight is ≈{off:.0e}."),
    Prediction(
        "04.p3", "At the θ that MAML has found, MAML's mean arrow is short. Where does FOMAML's point there, over "
        "20,000 tasks?",
        ("along MAML's, within 15°", "15° to 45° away", "more than 45° away"), "more than 45° away",
        lambda angle: angle > 45,
        lambda angle: f"≈{angle:.0f}° away, and longer than MAML's: FOMAML would leave this θ."),
    Prediction(
        "04.p4", "And on handwritten digits ANIL is …",
        ("ahead of MAML by as much", "ahead, by less", "not told apart from MAML", "behind MAML"), "behind MAML",
        lambda gap: gap.high < 0,
        lambda gap: f"behind, by {-gap.mean:.1f} ± {gap.half:.1f} points."),
)
