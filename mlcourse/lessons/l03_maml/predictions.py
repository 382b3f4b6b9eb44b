"""The predictions of lesson 03, with the answers that its notebook does not show."""

from __future__ import annotations

import torch
from torch import Tensor

from mlcourse.exercises.predictions import Prediction

ANY = 4             # at every size of the difference the wrong gradient misses by the same share


def difference(step_a: dict[str, Tensor], step_b: dict[str, Tensor]) -> float:
    """The length of the difference of two gradients over that of the first."""
    flat = lambda gradient: torch.cat([g.flatten() for g in gradient.values()])
    return float((flat(step_b) - flat(step_a)).norm() / flat(step_a).norm())


PREDICTIONS = (
    Prediction(
        "03.p1", "Trained on all sines, and shown no point of a new one: what does the network draw?",
        ("a sine of medium amplitude and phase", "a flat line at zero", "a negative cosine", "noise"),
        "a negative cosine",
        lambda gap: gap < 0.3,
        lambda gap: f"a negative cosine, -1.62 cos x; the network is ≈{gap:.2f} from it on average."),
    Prediction(
        "03.p2", "Both steps lead to the same parameters. Which meta-gradient is of first order?",
        ("that of step_a", "that of step_b", "of both", "of neither"),
        "that of step_b",
        lambda errors, gradients: min(errors["step_a"]) < 1e-6 and errors["step_b"][ANY] > 0.02,
        lambda errors, gradients: (f"step_b misses by ≈{100 * errors['step_b'][ANY]:.0f} % along this u. The length of "
                                   f"its error is ≈{100 * difference(**gradients):.0f} % of the gradient's. Under "
                                   "no_grad the inner gradient became a constant.")),
    Prediction(
        "03.p3", "Five points, one step: how many times smaller is MAML's error than the pretrained network's at its "
        "best rate?",
        ("about the same", "about 1.5 times", "about 3 times", "about 10 times"), "about 3 times",
        lambda ratio, low, high: 2 <= low and high <= 5,
        lambda ratio, low, high: f"≈{ratio:.1f} times smaller, 95 % interval ≈[{low:.1f}, {high:.1f}] over 600 tasks."),
    Prediction(
        "03.p4", "Where does the error of FOMAML lie?",
        ("below MAML's", "above MAML's, nearer to it than to pretraining's", "nearer to pretraining's",
         "above pretraining's"),
        "above MAML's, nearer to it than to pretraining's",
        lambda ratio, low, high: 1 < low and high < 2,
        lambda ratio, low, high: f"FOMAML's is ≈{ratio:.2f} times MAML's, 95 % interval ≈[{low:.2f}, {high:.2f}]."),
)
