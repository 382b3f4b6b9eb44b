"""The predictions of lesson 12, with the answers that its notebook does not show."""

from __future__ import annotations

from mlcourse.exercises.predictions import Prediction

PREDICTIONS = (
    Prediction(
        "12.p1", "Six tasks, the same digits; in each, five of the ten labels have changed places, drawn anew each "
        "time. One network is trained on all samples so far, of all tasks, and answers as it is. Which of the "
        "tasks 2 to 6 does it get 85 % right, with 160 samples of each?",
        ("none", "the early ones", "the late ones", "all"), "none",
        lambda best: best < 0.85,
        lambda best: f"none; the best is ≈{100 * best:.0f} % right."),
    Prediction(
        "12.p2", "Five seeds, twelve such tasks. To reach 85 %, FTML needs, against fine-tune "
        "(each at a rate chosen on another stream) …",
        ("more samples", "about as many", "about two thirds", "about half"), "about half",
        lambda ratio: 0.4 < ratio.mean < 0.6,
        lambda ratio: f"about half: {ratio.mean:.2f} times as many samples (95 % interval {ratio.low:.2f} to "
                      f"{ratio.high:.2f})."),
    Prediction(
        "12.p3", "Now no label moves, and only the looks differ: six colours, two scales. With 40 samples, GDumb as it "
        "is, against FTML, is …",
        ("more than 5 points less accurate", "not told apart from it", "more than 5 points more accurate"),
        "not told apart from it",
        lambda gap: gap.low < 0 < gap.high,
        lambda gap: f"not told apart from it: {gap.text(sign=True)} points."),
)
