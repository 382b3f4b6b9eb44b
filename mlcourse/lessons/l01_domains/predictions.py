"""The predictions of lesson 01: digits at 8×8 pixels, and inputs that move to two sides."""

from mlcourse.exercises.predictions import Prediction

PREDICTIONS = (
    Prediction(
        "01.p1", "Typeset digits at 8×8 pixels and back to size: their PAD to home, and the points lost?",
        ("below 0.5, hardly any", "above 1, hardly any", "above 1, more than 10"), "above 1, hardly any",
        lambda pad, before, after: pad > 1 and before - after < 0.03,
        lambda pad, before, after: f"PAD ≈{pad:.2f}; right on ≈{100 * after:.0f} %, unshifted on "
                                   f"≈{100 * before:.0f} %."),
    Prediction(
        "01.p2", "The rule stays; the inputs move far to the left, or as far to the right. Is the line, at home right "
        "on 86 %, about as good?",
        ("both times", "neither time", "one time"), "one time",
        lambda left, right: max(left, right) > 0.8 and min(left, right) < 0.5,
        lambda left, right: f"right on {100 * left:.0f} % to the left, on {100 * right:.0f} % to the right."),
)
