"""The predictions of lesson 01: digits at 8×8 pixels, and a rule that turns while no point moves."""

from mlcourse.exercises.predictions import Prediction

PREDICTIONS = (
    Prediction(
        "01.p1", "Digits at 8×8 pixels and back, against home: how large is the PAD of pixels, and what does the fixed "
        "classifier lose?",
        ("PAD below 0.5, hardly a loss", "PAD above 1, hardly a loss", "PAD above 1, more than 10 points lost"),
        "PAD above 1, hardly a loss",
        lambda pad, lost: pad > 1 and lost < 0.03,
        lambda pad, lost: f"PAD ≈{pad:.2f}, and of accuracy ≈{100 * lost:.1f} points are lost."),
    Prediction(
        "01.p2", "In the concept shift the rule turns by 180° and not one point moves. What is the PAD, and how often "
        "is the line right? (At home on 86 %.)",
        ("PAD near 2, right on less than half", "PAD about 0, right on less than half", "PAD about 0, right on 86 %"),
        "PAD about 0, right on less than half",
        lambda pad, right: abs(pad) < 0.1 and right < 0.45,
        lambda pad, right: f"PAD {pad:.2f}, and the line is right on {100 * right:.0f} %."),
)
