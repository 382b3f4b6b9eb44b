"""The predictions of lesson 05, with the answers that its notebook does not show."""

from __future__ import annotations

from mlcourse.exercises.predictions import Prediction


def below(best: dict[str, float]) -> list[str]:
    """The tensors whose best rate lies below zero."""
    return [tensor for tensor, rate in best.items() if rate < 0]


PREDICTIONS = (
    Prediction(
        "05.p1", "Move the rate of one tensor from -0.3 to 0.3, the five others at 0.01. For how many of the six is "
        "the best rate below zero?",
        ("none", "1", "2 to 4", "all 6"), "2 to 4",
        lambda best: {"b₂", "b₃"} <= {*below(best)} and len(below(best)) <= 4,
        lambda best: f"for ≈{len(below(best))}, b₂ (best at ≈{best['b₂']:.2f}) and b₃ (≈{best['b₃']:.2f}) among them."),
    Prediction(
        "05.p2", "Five points, one step: how many times smaller will Meta-SGD's error be than MAML's?",
        ("not smaller", "about 1.2 times", "about 2 times", "about 5 times"), "about 2 times",
        lambda ratio: 1.4 < ratio.low and ratio.high < 3.2,
        lambda ratio: f"≈{ratio.mean:.1f} times smaller, 95 % interval ≈[{ratio.low:.1f}, {ratio.high:.1f}] over 600 "
                      "tasks."),
    Prediction(
        "05.p3", "At θ, before any step: for what share of the weights do support and query gradients agree in sign, "
        "on average over the tasks?",
        ("about half", "about three quarters", "nearly all"), "nearly all",
        lambda agree, negative: agree > 0.95 and 0.3 < negative < 0.65,
        lambda agree, negative: f"nearly all, ≈{100 * agree:.0f} %, though of the rates with a gradient "
                                f"≈{100 * negative:.0f} % are negative."),
    Prediction(
        "05.p4", "Set the negative rates of a trained Meta-SGD to 0, or forbid them while a new one trains. Which is "
        "much worse than Meta-SGD?",
        ("setting them to 0", "forbidding them", "both", "neither"), "setting them to 0",
        lambda zeroed, forbidden: zeroed.low > 1 and abs(forbidden.mean) < 0.05,
        lambda zeroed, forbidden: f"set to 0: error {zeroed.text(2, sign=True)}. Forbidden in training: "
                                  f"{forbidden.text(3, sign=True)}, not told apart."),
    Prediction(
        "05.p5", "600 outer steps. On new scripts, is the accuracy higher with 300 steps of pretraining and 300 of "
        "Meta-SGD, or with 600 of Meta-SGD?",
        ("with pretraining, by 2 points or more", "within 2 points", "without, by 2 points or more"),
        "without, by 2 points or more",
        lambda gain: gain.low > 2,
        lambda gain: f"higher without pretraining, by {gain.mean:.1f} ± {gain.half:.1f} points."),
)
