"""The predictions of lesson 14, with the answers that its notebook does not show."""

from __future__ import annotations

from mlcourse.exercises.predictions import Prediction
from mlcourse.statistics import cell, paired_difference


def hand_made_first(accuracies: dict[str, list[float]]) -> bool:
    """Whether hand-made views are ahead of every other arm by more than the paired interval."""
    best = accuracies["source + hand-made"]
    return all(paired_difference(best, values).low > 0 for arm, values in accuracies.items() if values is not best)


PREDICTIONS = (
    Prediction(
        "14.p1", "What does the leak change for a classifier of source and generated pictures, on all test pictures?",
        ("it gains, by 5 points or more", "it gains, by less", "nothing that can be told from 0", "it loses"),
        "nothing that can be told from 0",
        lambda leak: leak.low < 0 < leak.high,
        lambda leak: f"nothing that can be told from 0: {leak.text(sign=True)} points, paired over {leak.n} seeds."),
    Prediction(
        "14.p2", "Typeset → handwriting, no label of the target (k = 0). Which of these is best?",
        ("source only", "source + hand-made views", "source + generated pictures", "the last two, not told apart"),
        "source + hand-made views",
        lambda **accuracies: hand_made_first(accuracies),
        lambda **accuracies: (f"source + hand-made, {cell(accuracies['source + hand-made'])} %; the views are made of "
                              "source pictures; only their strength was chosen on the target, without labels.")),
    Prediction(
        "14.p3", "Now every target task calls the ten digits by names of its own, and shows one labelled picture of "
        "each. Phase 2 is trained on such tasks. Is it ahead of source + generated?",
        ("no: not told apart, as before", "yes, by a point or two", "yes, by 10 to 30 points", "it is behind"),
        "yes, by 10 to 30 points",
        lambda ahead: ahead[1].low > 0 and 10 < ahead[1].mean < 30,
        lambda ahead: f"{ahead[1].text(sign=True)} points at k = 1, {ahead[5].text(sign=True)} at k = 5."),
)
