"""The predictions of lesson 01: digits at 8×8 pixels, and a rule that turns while no point moves."""

from mlcourse.exercises.predictions import Prediction

PREDICTIONS = (
    Prediction(
        "01.p1", "Digits at 8×8 pixels and back: their PAD to home, and the points lost?",
        ("below 0.5, hardly any", "above 1, hardly any", "above 1, more than 10"), "above 1, hardly any",
        lambda pad, before, after: pad > 1 and before - after < 0.03,
        lambda pad, before, after: f"PAD ≈{pad:.2f}; right on ≈{100 * after:.0f} %, unshifted on "
                                   f"≈{100 * before:.0f} %."),
    Prediction(
        "01.p2", "In the concept shift the rule turns by 180°, and no point moves. PAD, and how often is the line "
        "right? (At home on 86 %.)",
        ("near 2, less than half", "about 0, less than half", "about 0, 86 %"), "about 0, less than half",
        lambda pad, right: abs(pad) < 0.1 and right < 0.45,
        lambda pad, right: f"PAD {pad:.2f}, and right on {100 * right:.0f} %."),
)
