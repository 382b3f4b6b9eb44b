"""The predictions of lesson 02, and what happened."""

from __future__ import annotations

from mlcourse.exercises.predictions import Prediction

PREDICTIONS = (
    Prediction(
        "02.p1", "Five labels of each digit: where is the last layer more often right, on four blocks or on pixels?",
        ("on four blocks, by over 3 points", "about the same", "on pixels, by over 3 points"),
        "on pixels, by over 3 points",
        lambda kept, pixels: pixels - kept > 0.03,
        lambda kept, pixels: f"on pixels: ≈{100 * pixels:.0f} %, on four blocks ≈{100 * kept:.0f} %."),
    Prediction(
        "02.p2", "Two labels of each digit, fine-tuning the typeset network. Which head is the best to start from?",
        ("a random one", "one of zeros", "one fitted on frozen features first (LP-FT)"), "one of zeros",
        lambda random, lpft: random.high < 0 and lpft.high < 0,
        lambda random, lpft: "the one of zeros."),
)
