"""The predictions of lesson 03, with the answers that its notebook does not show."""

from __future__ import annotations

from mlcourse.exercises.predictions import Prediction

PREDICTIONS = (
    Prediction(
        "03.p1", "Trained on all sinusoids at once, and shown no point of a new task: what does the network draw?",
        ("a sine of medium amplitude and medium phase", "a flat line at zero", "a negative cosine", "noise"),
        "a negative cosine",
        lambda gap: gap < 0.3,
        lambda gap: f"a negative cosine, -1.62 cos x; the network is ≈{gap:.2f} from it on average."),
    Prediction(
        "03.p2", "Both steps lead to the same parameters. Whose meta-gradient is not of second order?",
        ("that of step_a", "that of step_b", "of both", "of neither"),
        "that of step_b",
        lambda a, b: a < 1e-6 and b > 0.05,
        lambda a, b: f"step_b misses by ≈{100 * b:.0f} %. Under no_grad its gradient is a constant, and no error says "
                     "so."),
    Prediction(
        "03.p3", "Five points, one step: how many times smaller will MAML's error be than that of the tuned pretrained "
        "baseline?",
        ("about the same", "about 1.5 times", "about 3 times", "about 10 times"), "about 3 times",
        lambda ratio, low, high: 2 <= low and high <= 5,
        lambda ratio, low, high: f"≈{ratio:.1f} times smaller, 95 % interval ≈[{low:.1f}, {high:.1f}] over 600 tasks."),
    Prediction(
        "03.p4", "FOMAML's gradient is wrong by a third. Where does its error lie?",
        ("below MAML's", "above MAML's, yet nearer to it than to the baseline's", "nearer to the baseline's",
         "above the baseline's"),
        "above MAML's, yet nearer to it than to the baseline's",
        lambda ratio, low, high: 1 < low and high < 2,
        lambda ratio, low, high: f"FOMAML's is ≈{ratio:.2f} times MAML's, 95 % interval ≈[{low:.2f}, {high:.2f}]."),
)
