"""The predictions of lesson 09, with the answers that its notebook does not show."""

from __future__ import annotations

from mlcourse.exercises.predictions import Prediction

PREDICTIONS = (
    Prediction(
        "09.p1", "Ten items are 80 bits, and who guesses gets 40 wrong. A tuned LSTM, trained on 1 to 10 items for about "
        "as long as the machine above, gets wrong …",
        ("fewer than 5", "between 10 and 30", "about 40"), "between 10 and 30",
        lambda wrong: 10 < wrong < 30,
        lambda wrong: f"{wrong:.0f} of 80, while the machine has them all but a few."),
    Prediction(
        "09.p2", "Your machine, trained on at most 10 items, copies 40, which is 320 bits. With its 32 rows that must go "
        "wrong. With 128 rows and the same weights it has …",
        ("about as many wrong", "less than half as many wrong", "more wrong"), "less than half as many wrong",
        lambda few, many: many < few / 2,
        lambda few, many: f"with 32 rows ≈{few:.0f} bits are wrong, with 128 ≈{many:.0f}."),
    Prediction(
        "09.p3", "The study gave each learned arm minutes on one core. Most right at the second presentation, on "
        "characters from new scripts, is …",
        ("the LSTM", "MANN with strength", "nearest neighbour"), "nearest neighbour",
        lambda best: best == "nearest neighbour",
        lambda best: f"{best}, which nobody trained."),
)
