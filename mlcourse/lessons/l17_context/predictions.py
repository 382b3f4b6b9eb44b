"""The predictions of lesson 17, with the answers that its notebook does not show."""

from __future__ import annotations

from mlcourse.exercises.predictions import Prediction
from mlcourse.plots.style import about

PREDICTIONS = (
    Prediction(
        "17.p1", "Five noisy pairs, five unknown numbers. Against always answering 0, the mean squared error of least "
        "squares is …",
        ("smaller", "about the same", "more than ten times as large"), "more than ten times as large",
        lambda squares, zero: squares > 10 * zero,
        lambda squares, zero: "more than ten times as large: the five equations have a solution, but a wild one."),
    Prediction(
        "17.p2", "All x are three times as large as in training. The same ridge is still the best there is. Of its "
        "error the trained Transformer has …",
        ("about as much", "up to twice as much", "more than three times as much"), "more than three times as much",
        lambda network, ridge: network > 3 * ridge,
        lambda network, ridge: f"more than three times as much: {about(network)} against {about(ridge)}."),
    Prediction(
        "17.p3", "The true coin is 0.5, and the model believes in 0.3 and 0.6 alone. With ever more tosses its "
        "probability of a head tends to …",
        ("0.45, midway between its two coins", "0.5, the truth", "0.6, with certainty"), "0.6, with certainty",
        lambda few, many: abs(few - 0.45) < 1e-6 and abs(many - 0.6) < 1e-6,
        lambda few, many: f"0.6, with certainty. Before the first toss it was off by {0.5 - few:.2f}, in the end by "
                          f"{many - 0.5:.2f}: more context, larger error."),
)
