"""The predictions of lesson 00: pixels on new characters, and a trained network on inverted drawings."""

from mlcourse.exercises.predictions import Prediction

PREDICTIONS = (
    Prediction(
        "00.p1", "Five characters, one drawing of each: how often is the nearest neighbour in pixels right? Guessing "
        "is right 20 % of the time.", ("about 20 %", "about 40 %", "about 60 %", "about 90 %"), "about 60 %",
        lambda mean, half: 0.45 < mean < 0.7,
        lambda mean, half: f"≈{100 * mean:.0f} ± {100 * half:.0f} %, far above guessing."),
    Prediction(
        "00.p2", "The trained network on inverted drawings, white on black: how many does it get right?",
        ("about as many as before", "about 20 points fewer", "hardly more than guessing"), "about 20 points fewer",
        lambda before, lost, half: 0.12 < lost < 0.32 and lost > half,
        lambda before, lost, half: f"of ≈{100 * before:.0f} % it loses ≈{100 * lost:.0f} ± {100 * half:.0f} "
                                   f"points."),
)
