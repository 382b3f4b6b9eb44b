"""The predictions of lesson 05, with the answers that its notebook does not show."""

from __future__ import annotations

from mlcourse.exercises.predictions import Prediction


def below(best: dict[str, float]) -> list[str]:
    """The tensors whose best rate lies below zero."""
    return [tensor for tensor, rate in best.items() if rate < 0]


PREDICTIONS = (
    Prediction(
        "05.p1", "One rate moves from -0.3 to 0.3, the others stay at 0.01. For how many of the six tensors is the "
        "best rate below zero?",
        ("none", "1", "2 to 4", "all 6"), "2 to 4",
        lambda best: {"b₂", "b₃"} <= {*below(best)} and len(below(best)) <= 4,
        lambda best: f"for ≈{len(below(best))}, b₂ (best at ≈{best['b₂']:.2f}) and b₃ (≈{best['b₃']:.2f}) among them."),
    Prediction(
        "05.p2", "Average the product of support and query gradient over tasks, weight by weight, at θ: for what share "
        "of the weights with a gradient is it positive?",
        ("about half", "about three quarters", "nearly all"), "nearly all",
        lambda agree, negative: agree > 0.95 and 0.3 < negative < 0.65,
        lambda agree, negative: f"nearly all, ≈{100 * agree:.0f} %, though ≈{100 * negative:.0f} % of their rates "
                                "are negative."),
    Prediction(
        "05.p3", "Set the negative rates of a trained Meta-SGD to 0, or forbid them while a new one trains: which is "
        "much worse?",
        ("setting them to 0", "forbidding them", "both", "neither"), "setting them to 0",
        lambda zeroed, forbidden: zeroed.low > 1 and abs(forbidden.mean) < 0.05,
        lambda zeroed, forbidden: f"set to 0: error {zeroed.text(2, sign=True)}. Forbidden in training: "
                                  f"{forbidden.text(3, sign=True)}, open."),
    Prediction(
        "05.p4", "Of 600 outer steps the first 300 are pretraining. What does it gain on new scripts, against 600 of "
        "Meta-SGD?",
        ("2 points or more", "within 2 points of nothing", "it loses 2 points or more"), "it loses 2 points or more",
        lambda gap: gap.low > 2,
        lambda gap: f"{gap.mean:.1f} ± {gap.half:.1f} points lost."),
)
