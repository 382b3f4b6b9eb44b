"""The predictions of lesson 09, with the answers that its notebook does not show."""

from __future__ import annotations

from mlcourse.exercises.predictions import Prediction


def share(wrong: float) -> str:
    """How many of 320 bits are wrong, by a bound: the number itself differs between trainings on two processors."""
    return "over 10 %" if wrong > 32 else "under 10 %" if wrong > 6.4 else "under 2 %"


PREDICTIONS = (
    Prediction(
        "09.p1", "Ten items are 80 bits, and who guesses gets 40 wrong. The tuned LSTM gets wrong …",
        ("fewer than 5", "between 10 and 30", "about 40"), "between 10 and 30",
        lambda wrong, machine: machine < 1 and 10 < wrong < 30,
        lambda wrong, machine: f"{wrong:.0f} of 80; the NTMs {machine:.2f}."),
    Prediction(
        "09.p2", "On 40 items, 320 bits, your machine must fail with 32 rows. With 128 rows and the same "
        "weights it has …",
        ("about as many wrong", "less than half as many wrong", "more wrong"), "less than half as many wrong",
        lambda few, many: many < few / 2,
        lambda few, many: f"with 32 rows {share(few)} wrong; with 128 {share(many)}."),
    Prediction(
        "09.p3", "On drawings, in a public replication, MANN is 30 points ahead of its LSTM at the second "
        "presentation. On features MANN with strength leads by …",
        ("more than 10 points", "3 to 10 points", "less than 3 points, or not at all"),
        "less than 3 points, or not at all",
        lambda gap: gap.mean < 3,
        lambda gap: f"{gap.text(1, sign=True)} points."),
)
