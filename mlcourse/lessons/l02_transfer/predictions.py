"""The predictions of lesson 02, and what happened."""

from __future__ import annotations

from mlcourse.exercises.predictions import Prediction

PREDICTIONS = (
    Prediction(
        "02.p1", "A last layer from five labels of each digit: on which does it read more, on all four blocks or on bare "
        "pixels?",
        ("on four blocks, by more than 3 points", "about the same", "on pixels, by more than 3 points"),
        "on pixels, by more than 3 points",
        lambda kept, pixels: pixels - kept > 0.03,
        lambda kept, pixels: f"on pixels: ≈{100 * pixels:.0f} %, on four blocks ≈{100 * kept:.0f} %."),
    Prediction(
        "02.p2", "Two labels of each digit, fine-tuning the typeset network. Which head is the best to start from?",
        ("a random one", "one of zeros", "one fitted on frozen features first (LP-FT)"), "one of zeros",
        lambda random, lpft: random.high < 0 and lpft.high < 0,
        lambda random, lpft: "the one of zeros."),
    Prediction(
        "02.p3", "Five digits, one labelled picture of each, no training. Which features read more than pixels, told by a paired "
        "interval?",
        ("those of a network trained on characters", "those of a network trained on typeset digits",
         "those of an untrained network", "none"),
        "none",
        lambda less: not any(each.low > 0 for each in less.values()),
        lambda less: "none."),
)
