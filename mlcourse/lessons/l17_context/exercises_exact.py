"""The exercises of lesson 17 on what is exact: a step of gradient descent as attention, and two coins."""

from __future__ import annotations

from mlcourse.exercises.by_hand import BY_AUTOGRAD
from mlcourse.exercises.framework import Exercise, edited
from mlcourse.lessons.l17_context.checks_exact import UNDERFLOW, check_attend, check_coin

# ---------------------------------------------------------------- 17.4

ATTEND = '''\
def attend(x, y, query, alpha):
    """The prediction at the query after one gradient step from w = 0, by hand: no autograd.

    x (M, d), y (M,): the pairs; query (d,); alpha: the rate
    The loss is 1/(2M) times the sum of (w·x_i - y_i)². Returns one number.
    """
'''
SCORES = "    scores = x @ query"
ATTEND_SOLUTION = ATTEND + SCORES + "\n    return alpha * (scores * y).mean()"
BY_GRADIENT = '''\
    w = torch.zeros_like(query).requires_grad_()
    loss = ((x @ w - y) ** 2).mean() / 2
    return (-alpha * torch.autograd.grad(loss, w)[0] @ query).item()'''


def attend_wrong(*edits: tuple[str, str]) -> str:
    """A wrong step: the solution with edits."""
    return edited(ATTEND_SOLUTION, *edits)


attend = Exercise(
    id="17.4", title="A gradient step without a gradient", answer="attend", difficulty=2, minutes=5,
    stub=ATTEND + "    ...", solution_source=ATTEND_SOLUTION, check=check_attend,
    hints=(
        "The gradient of the loss at w is 1/M Σ (w·x_i - y_i) x_i. What is left of it at w = 0?",
        "-1/M Σ y_i x_i. So after the step w is alpha/M Σ y_i x_i; take its inner product with the query.",
        "scores = x @ query; return alpha * (scores * y).mean().",
    ),
    wrong=(
        (attend_wrong((".mean()", ".sum()")), "a sum in place of the mean"),
        (attend_wrong(("alpha *", "2 * alpha *")), "the loss without its ½"),
        (attend_wrong(("alpha *", "-alpha *")), "uphill"),
        (attend_wrong((SCORES, "    scores = (x @ query).softmax(0)"), (".mean()", ".sum()")),
         "a sum in place of the mean, a softmax over the scores"),
        (attend_wrong((SCORES, "    scores = (x @ query).softmax(0)")), "a softmax over the scores"),
        (attend_wrong(("alpha * ", "")), "the rate is forgotten"),
        (attend_wrong(("scores * y", "y")), "the scores left out"),
        (ATTEND + BY_GRADIENT, BY_AUTOGRAD),
    ),
    mutations=(
        (SCORES, "    scores = (x @ query).abs()"),
        (SCORES, "    scores = x @ query / len(query)"),
        ("    return alpha * (scores * y).mean()", "    return alpha * scores.mean() * y.mean()"),
    ))

# ---------------------------------------------------------------- 17.6

COIN = '''\
def next_head(heads, tosses):
    """The probability that the next toss is a head.

    The coin lands on heads with probability 0.3 or 0.6, each as likely before the first toss.
    heads, tosses: how many heads so far, in how many tosses, up to thousands. Returns one number.
    """
'''
ODDS = "    log_odds = heads * math.log(0.6 / 0.3) + (tosses - heads) * math.log(0.4 / 0.7)"
SECOND = "    second = 1 / (1 + math.exp(min(-log_odds, 700)))"
ANSWER = "    return 0.3 + 0.3 * second"
COIN_SOLUTION = COIN + "    import math\n" + "\n".join((ODDS, SECOND, ANSWER))
PRODUCTS = '''\
    a, b = (p ** heads * (1 - p) ** (tosses - heads) for p in (0.3, 0.6))
    return (0.3 * a + 0.6 * b) / (a + b)'''


def coin_wrong(*edits: tuple[str, str]) -> str:
    """A wrong probability: the solution with edits."""
    return edited(COIN_SOLUTION, *edits)


coin = Exercise(
    id="17.6", title="Two coins", answer="next_head", difficulty=2, minutes=4,
    stub=COIN + "    ...", solution_source=COIN_SOLUTION, check=check_coin,
    hints=(
        "How probable are these tosses for the coin 0.3, and for the coin 0.6? Bayes weighs the coins by that.",
        "The likelihoods are p^heads (1 - p)^tails. Their ratio's logarithm is heads·log(0.6/0.3) + "
        "tails·log(0.4/0.7); the sigmoid of it is the probability of the coin 0.6.",
        "second = torch.sigmoid(torch.tensor(heads * math.log(2) + (tosses - heads) * math.log(4 / 7))), with import "
        "math; return 0.3 + 0.3 * second.",
    ),
    wrong=(
        (COIN + "    return heads / tosses if tosses else 0.45", "the share of heads"),
        (coin_wrong((" + (tosses - heads) * math.log(0.4 / 0.7)", "")), "the tails left out"),
        (coin_wrong((ANSWER, "    return 0.6 if second > 0.5 else 0.3 if second < 0.5 else 0.45")),
         "the likelier coin alone"),
        (COIN + "    return 0.45", "nothing learned"),
        (coin_wrong((ANSWER, "    return second")), "the probability of a coin"),
        (COIN + PRODUCTS, UNDERFLOW),
    ),
    mutations=(
        (ODDS, "    log_odds = heads * math.log(0.6 / 0.3) - (tosses - heads) * math.log(0.4 / 0.7)"),
        (SECOND, "    second = 1 / (1 + math.exp(min(log_odds, 700)))"),
        (ANSWER, "    return 0.6 - 0.3 * second"),
    ))
