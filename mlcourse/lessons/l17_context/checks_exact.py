"""Checks of lesson 17 on what is exact: a step of gradient descent as attention, and two coins."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mlcourse.exercises.by_hand import by_hand
from mlcourse.exercises.framework import Crashed, LearnerFunction, Misconception, NotYet, explain
from mlcourse.exercises.values import number
from mlcourse.lessons.l17_context.checks import drawn

close = lambda one, other: math.isclose(one, other, rel_tol=1e-4, abs_tol=1e-6)


# ---------------------------------------------------------------- 17.4

ATTEND_FAULTS = (
    ("a sum in place of the mean", {"mean": False}, "the loss has 1/(2M) before its sum, so its gradient is a mean "
                                                    "over the pairs"),
    ("the loss without its ½", {"factor": 2}, "the derivative of ½(w·x_i - y_i)² has no factor 2"),
    ("uphill", {"factor": -1}, "the gradient at 0 is minus the mean of y_i x_i, and the step goes against it"),
    ("a softmax over the scores", {"softmax": True}, "linear attention has no softmax: the inner products themselves "
                                                     "weigh y_i"),
    ("the rate is forgotten", {"rated": False}, "the step is alpha times the gradient"),
    ("the scores left out", {"scored": False}, "y_i counts by the inner product of x_i and the query"),
)


def check_attend(answer: object) -> str:
    """17.4: the predictions after one step, for two prompts and rates, by hand."""
    with by_hand(answer, "attend") as attend:
        for points, dims, alpha in ((4, 3, 0.3), (5, 2, 0.8)):
            x, y, query = drawn((points, dims)), drawn((points,), 1), drawn((dims,), 2)
            got = number(attend(x.clone(), y.clone(), query.clone(), alpha), "attend must return one number")
            truth = lambda x=x, y=y, query=query, alpha=alpha, **faults: one_step(x, y, query, alpha, **faults)
            if not close(got, truth()):
                explain(got, truth, ATTEND_FAULTS, close)
                raise NotYet(f"for {points} pairs and alpha = {alpha} the prediction is {truth():.4f}, but you "
                             f"returned {got:.4f}; write down the gradient at w = 0 first.")
    return "A step of gradient descent, without a gradient: scores, values, a mean."


def one_step(x: Tensor, y: Tensor, query: Tensor, alpha: float, *, mean: bool = True, factor: int = 1,
             softmax: bool = False, rated: bool = True, scored: bool = True) -> float:
    """The prediction, pair by pair; the options are the known faults."""
    scores = [float(each @ query) if scored else 1.0 for each in x]
    if softmax:
        scores = torch.tensor(scores).softmax(0).tolist()
    total = sum(s * float(value) for s, value in zip(scores, y, strict=True))
    return factor * (alpha if rated else 1) * total / (len(y) if mean else 1)


# ---------------------------------------------------------------- 17.6

COINS = (0.3, 0.6)
COIN_FAULTS = (
    ("the share of heads", {"say": "share"}, "only two coins are possible, so the answer lies between 0.3 and 0.6"),
    ("the tails left out", {"tails": False}, "a tail of a coin has probability 1 - p, and counts as a head does"),
    ("the likelier coin alone", {"say": "likelier"}, "weigh both coins by their probabilities"),
    ("nothing learned", {"say": "prior"}, "0.45 is right before the first toss alone"),
    ("the probability of a coin", {"say": "posterior"}, "that is how probable one coin is; asked is the next toss: "
                                                        "weigh 0.3 and 0.6 by it"),
)
FEW, MANY = ((0, 0), (1, 1), (2, 7), (6, 9)), ((1000, 2000), (900, 2000))
UNDERFLOW = "numbers too small for the computer"


def check_coin(answer: object) -> str:
    """17.6: the next toss after few tosses, and after so many that products vanish."""
    next_head = LearnerFunction(answer, "next_head")
    for heads, tosses in FEW:
        got = number(next_head(heads, tosses), "next_head must return one number")
        truth = lambda heads=heads, tosses=tosses, **faults: predictive(heads, tosses, **faults)
        if not close(got, truth()):
            explain(got, truth, COIN_FAULTS, close)
            raise NotYet(f"after {heads} heads in {tosses} tosses the answer is {truth():.4f}, but you returned "
                         f"{got:.4f}.")
    for heads, tosses in MANY:
        try:
            got = number(next_head(heads, tosses), "next_head must return one number")
        except Crashed as crashed:
            got = math.nan
            if not isinstance(crashed.error, (ZeroDivisionError, OverflowError)):
                raise
        if not close(got, predictive(heads, tosses)):
            raise Misconception(UNDERFLOW, f"right for few tosses, but after {tosses} tosses the products are below "
                                "what a float can hold; add logarithms, and take the ratio of the two coins.")
    return "Right before the first toss, and after 2,000."


def predictive(heads: int, tosses: int, *, tails: bool = True, say: str = "toss") -> float:
    """The probability that the next toss is a head; the options are the known faults."""
    logs = [heads * math.log(p) + (tosses - heads) * math.log(1 - p) * tails for p in COINS]
    second = 1 / (1 + math.exp(min(logs[0] - logs[1], 700.0)))
    low, high = COINS
    if say == "share":
        return heads / tosses if tosses else (low + high) / 2
    if say == "likelier":
        return high if second > 0.5 else low if second < 0.5 else (low + high) / 2
    return {"toss": low + (high - low) * second, "prior": (low + high) / 2, "posterior": second}[say]
