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
        "04.p2", "And on handwritten digits ANIL is …",
        ("ahead of MAML by as much", "ahead, by less", "not told apart from MAML", "behind MAML"), "behind MAML",
        lambda gap, anil, maml: gap.high < 0,
        lambda gap, anil, maml: f"behind, by {-gap.mean:.1f} ± {gap.half:.1f} points: {anil.mean:.1f} % against "
                                f"{maml.mean:.1f} %, where chance is 20 %."),
)
