"""Checks of lesson 16: InfoNCE and NT-Xent against loops written from the papers, a step of training two encoders, and
what the rows of the study bear out."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from mlcourse.exercises.entries import check_claims
from mlcourse.exercises.framework import LearnerFunction, Misconception, NotYet, all_of, explain
from mlcourse.exercises.gradients import gradients_by
from mlcourse.exercises.values import DIGITS, number, scalar
from mlcourse.losses import contrast

NO_NORM = "similarity without normalisation"
MULTIPLIED = "multiplied by the temperature"
NO_TAU = "the temperature is forgotten"
SUMMED = "sum instead of mean"
OTHER_WAY = "the other direction"
NO_POSITIVE = "denominator without the positive"
SELF = "self-similarity in the denominator"
HALF = "only one view asks"
ONE_WAY = "one direction only"
TWICE = "the same direction twice"
NO_DETOUR = "a gradient that is cut off"
STILL = "nothing moves"
PILED_UP = "gradients of earlier steps pile up"
UPHILL = "uphill"
NO_RIVALS, NO_ANCHORS = "the candidates are cut off", "the one that asks is cut off"
AFTER = "the loss after the step"
MASKED_ZERO, MASKED_ONE = "masked with 0", "masked with -1"
WRONG_PARTNER = "the wrong partner"
ALL_PAIRS = "every pair counted as positive"


def pairs(n: int, seed: int, dims: int = 5) -> tuple[Tensor, Tensor]:
    """Two float64 sides (n, dims) of unequal lengths that agree somewhat."""
    noise = torch.randn(3, n, dims, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    lengths = 0.5 + torch.rand(2, n, 1, generator=torch.Generator().manual_seed(seed + 1), dtype=torch.float64)
    return (noise[0] + 0.6 * noise[1]) * lengths[0], (noise[0] + 0.6 * noise[2]) * lengths[1]


def table(a: Tensor, b: Tensor, tau: float, score: str = "cosine") -> list[list[float]]:
    """s_ij/τ by a double loop; score "dot" leaves the lengths in, "times" multiplies by τ."""
    rows = []
    for u in a.tolist():
        row = []
        for v in b.tolist():
            dot = sum(p * q for p, q in zip(u, v))
            cosine = dot / math.sqrt(sum(p * p for p in u) * sum(q * q for q in v))
            row.append({"cosine": cosine / tau, "dot": dot / tau, "times": cosine * tau, "plain": cosine}[score])
        rows.append(row)
    return rows


def found(rows: list[list[float]], partner: Callable[[int], int],
          leave_out: Callable[[int, int], bool] = lambda i, j: False) -> list[float]:
    """-log of the softmax of row i at its partner, for every row; leave_out(i, j): not in the denominator of row i."""
    losses = []
    for i, row in enumerate(rows):
        total = math.log(sum(math.exp(value) for j, value in enumerate(row) if not leave_out(i, j)))
        losses.append(total - row[partner(i)])
    return losses


def mean(values: list[float]) -> float:
    """The mean of a list."""
    return sum(values) / len(values)


def transposed(rows: list[list[float]]) -> list[list[float]]:
    """Rows as columns."""
    return [list(column) for column in zip(*rows)]


def loss_of(function: LearnerFunction, *args) -> Tensor:
    """The learner's loss as a scalar tensor."""
    return scalar(function(*args), f"{function.name} must return a scalar tensor, so that it can be differentiated")


def near(got: float, want: float) -> bool:
    """Whether two numbers agree to the digits of float32; no for nan."""
    return abs(got - want) <= DIGITS * max(1.0, abs(want))


def all_near(got: list[float], want: list[float]) -> bool:
    """Whether the numbers of all batches agree."""
    return all(map(near, got, want))


def judge_loss(function: LearnerFunction, batches: tuple, truth: Callable, faults: tuple, what: str) -> None:
    """Raise what is wrong with the values and the gradients of a contrastive loss.

    batches: (pairs, tau, seed); truth(a, b, tau, **faults): the loss by loops; faults: as `explain` takes them
    """
    sides = [tuple(side.requires_grad_() for side in pairs(n, seed)) for n, _, seed in batches]
    losses = [loss_of(function, a.clone(), b.clone(), tau) for (a, b), (_, tau, _) in zip(sides, batches)]
    got, found = [float(loss.detach()) for loss in losses], []
    theirs = lambda **faults: [truth(a, b, tau, **faults) for (a, b), (_, tau, _) in zip(sides, batches)]
    want = theirs()
    right = all_near(got, want)
    if not right:
        try:
            explain(got, theirs, faults, all_near)
        except Misconception as misconception:
            found.append(misconception)
        if not found:
            i = next(i for i, pair in enumerate(zip(got, want)) if not near(*pair))
            raise NotYet(f"for {batches[i][0]} {what} at tau = {batches[i][1]} a double loop over the definition gives "
                         f"{want[i]:.4f}, but you returned {got[i]:.4f}.")
    for loss, (a, b), (_, tau, _) in zip(losses, sides, batches):
        found += faults_of_gradient(loss, a, b, (lambda a, b, tau=tau: truth(a, b, tau)) if right else None)
    if found:
        raise all_of(found)


def faults_of_gradient(loss: Tensor, a: Tensor, b: Tensor, truth: Callable | None) -> list[Misconception]:
    """What is wrong with the gradient on both sides: it is missing, or along a random direction it is not the central
    difference of the truth (None where the value is wrong anyway)."""
    start = "the value is right, but " if truth else ""
    grads = gradients_by(loss, (a, b))
    cut = [side for side, g in zip(("first", "second"), grads) if g is None or not g.abs().max() > 0]
    if cut:
        return [Misconception(NO_DETOUR, f"{start}no gradient reaches the {' and the '.join(cut)} side, so its encoder "
                              "would not learn; look for detach(), .data, item() or no_grad.")]
    if truth is None:
        return []
    u = torch.randn(2, *a.shape, generator=torch.Generator().manual_seed(9), dtype=torch.float64)
    ends = [truth(a.detach() + h * u[0], b.detach() + h * u[1]) for h in (1e-5, -1e-5)]
    along = float(sum((g * d).sum() for g, d in zip(grads, u)))
    if not abs(along - (ends[0] - ends[1]) / 2e-5) <= 1e-4 * max(1.0, abs(along)):
        return [Misconception(NO_DETOUR, f"{start}its gradient is not that of the value; look for a part that is "
                              "detached.")]
    return []


def check_info_nce(answer: object) -> str:
    """16.1: InfoNCE in one direction, and its gradient."""
    function = LearnerFunction(answer, "info_nce")
    judge_loss(function, ((5, 0.5, 0), (8, 0.2, 3), (2, 1.5, 5)), info_nce, NCE_FAULTS, "pairs")
    return "It agrees with a double loop over the definition in 3 batches, and so does its gradient on both sides."


def info_nce(a: Tensor, b: Tensor, tau: float, score: str = "cosine", way: str = "forth", positive: bool = True,
             add: str = "mean", of: str = "log", pairs: str = "own", sign: int = 1) -> float:
    """InfoNCE by loops; the options are the known faults."""
    rows = table(a, b, tau, score)
    rows = rows if way == "forth" else transposed(rows)
    own = lambda i: i
    losses = found(rows, own) if positive else found(rows, own, lambda i, j: i == j)
    if pairs == "all":
        losses = [mean([math.log(sum(map(math.exp, row))) - value for value in row]) for row in rows]
    if of == "probability":
        losses = [-math.exp(-value) for value in losses]
    return sign * (mean(losses) if add == "mean" else sum(losses))


SCORES = (
    (NO_NORM, {"score": "dot"}, "the score is the dot product of vectors as they are, so the loss can be lowered by "
     "making them longer; divide each by its length first"),
    (MULTIPLIED, {"score": "times"}, "the similarity is divided by tau, so that a small temperature sharpens the "
     "softmax"),
    (NO_TAU, {"score": "plain"}, "tau does not enter; the logits are the similarities divided by tau"),
)
NCE_FAULTS = (
    *SCORES,
    (SUMMED, {"add": "sum"}, "the loss is the mean over the anchors, so that it does not grow with the batch"),
    (OTHER_WAY, {"way": "back"}, "you let b search for its partner in a: here a_i searches among all b_j, so the "
     "softmax runs over j"),
    (NO_POSITIVE, {"positive": False}, "the sum in the denominator runs over all j, the partner included, or the loss "
     "has no lower end"),
    (ALL_PAIRS, {"pairs": "all"}, "you averaged over every pair (i, j); only j = i is a positive"),
    ("sign", {"sign": -1}, "the loss must be small when partners are found, so the log of the softmax gets a minus"),
    ("no logarithm", {"of": "probability"}, "this is minus the mean probability of the partner; InfoNCE is the mean of "
     "minus its logarithm"),
)


def check_nt_xent(answer: object) -> str:
    """16.2: NT-Xent with itself masked and unit vectors."""
    function = LearnerFunction(answer, "nt_xent")
    judge_loss(function, ((4, 0.5, 10), (6, 0.2, 13), (2, 1.0, 15)), nt_xent, XENT_FAULTS, "pictures")
    return "Nothing is compared with itself, lengths do not count, and value and gradient agree with the double loop."


def nt_xent(a: Tensor, b: Tensor, tau: float, score: str = "cosine", diagonal: str = "masked", positive: bool = True,
            asks: str = "both", add: str = "mean", negatives: str = "all", place: str = "other view") -> float:
    """NT-Xent by loops; the options are the known faults. place: which view the label of view i names."""
    if negatives == "other side":
        return info_nce(a, b, tau, score, add=add)
    if negatives == "other side, both ways":
        return (info_nce(a, b, tau, score, add=add) + info_nce(b, a, tau, score, add=add)) / 2
    n, z = len(a), torch.cat([a, b])
    rows, partner = table(z, z, tau, score), lambda i: PLACES[place](i, n)
    if diagonal in FILLED:
        own = FILLED[diagonal](tau)
        rows = [[own if i == j else value for j, value in enumerate(row)] for i, row in enumerate(rows)]
    hidden = lambda i, j: (i == j and diagonal == "masked") or (j == partner(i) and not positive)
    losses = found(rows, partner, hidden)[:n if asks == "first" else 2 * n]
    return mean(losses) if add == "mean" else sum(losses)


FILLED = {"zero": lambda tau: 0.0, "minus one": lambda tau: -1.0, "a cosine of minus one": lambda tau: -1 / tau}
PLACES = {"other view": lambda i, n: (i + n) % (2 * n), "next": lambda i, n: (i + 1) % (2 * n),
          "before": lambda i, n: (i - 1) % (2 * n), "two and two": lambda i, n: i ^ 1}
XENT_FAULTS = (
    (SELF, {"diagonal": "kept"}, "every view is most similar to itself, and that similarity still stands in its "
     "denominator: even a perfect encoder pays for it. Mask the diagonal"),
    *SCORES,
    (HALF, {"asks": "first"}, "the N first views ask and the N second ones do not; all 2N views are anchors"),
    (NO_POSITIVE, {"positive": False}, "the partner must stay in the denominator; only the view itself leaves it"),
    (MASKED_ZERO, {"diagonal": "zero"}, "a logit of 0 still adds exp(0) = 1 to the denominator; a logit of minus "
     "infinity adds nothing"),
    *((MASKED_ONE, {"diagonal": own}, f"{what} still adds {much} to the denominator; a logit of minus infinity adds "
       "nothing") for own, what, much in (("minus one", "a logit of -1", "exp(-1)"),
                                          ("a cosine of minus one", "a cosine of -1", "exp(-1/tau)"))),
    *((WRONG_PARTNER, {"place": place}, "the label of a view is the place of its picture's other view, N places on; "
       "with a and b one after the other that is torch.arange(2 * N).roll(N)")
      for place in ("next", "before", "two and two")),
    ("in-batch InfoNCE instead", {"negatives": "other side"}, "the negatives of NT-Xent are all 2N - 2 other views, "
     "those of the same side included"),
    ("in-batch InfoNCE instead", {"negatives": "other side, both ways"}, "this is CLIP's loss, InfoNCE both ways: the "
     "negatives of NT-Xent are all 2N - 2 other views, those of the same side included"),
    (SUMMED, {"add": "sum"}, "the loss is the mean over the 2N views"),
)


RATE, STEPS = 0.5, 2


def sides(seed: int) -> tuple[torch.nn.Module, torch.nn.Module]:
    """Two small encoders of inputs of 3 and 4 numbers, float64, with weights from a seed."""
    f, g = torch.nn.Linear(3, 5, dtype=torch.float64), torch.nn.Linear(4, 5, dtype=torch.float64)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in (*f.parameters(), *g.parameters()):
            p.copy_(torch.randn(p.shape, generator=generator, dtype=p.dtype))
    return f, g


def batch(seed: int) -> tuple[Tensor, Tensor]:
    """Six pairs, inputs of 3 and of 4 numbers."""
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(6, size, generator=generator, dtype=torch.float64) for size in (3, 4))


def check_train_step(answer: object) -> str:
    """16.3: two steps of two encoders, compared with steps whose faults are known."""
    function = LearnerFunction(answer, "train_step")
    f, g = sides(40)
    optimiser, losses = torch.optim.SGD([*f.parameters(), *g.parameters()], RATE), []
    for step in range(STEPS):
        returned = function(f, g, optimiser, *batch(50 + step), contrast.info_nce, 0.5)
        losses.append(number(returned, "train_step must return the loss of this step, one number"))
    got, want = [*losses, *weights(f, g)], trained()
    if not all_near(got, want):
        explain(got, trained, STEP_FAULTS, all_near)
        if all_near(losses, want[:STEPS]):
            raise NotYet("the losses are right, but the weights after two steps are not those of gradient descent on "
                         "them; look for a part of the loss that is detached, and for what else changes the weights.")
        raise NotYet(f"the mean of both directions is {want[0]:.4f} in the first step and {want[1]:.4f} in the second, "
                     f"but you returned {losses[0]:.4f} and {losses[1]:.4f}.")
    return "Both directions count, both encoders move, and the second step starts with gradients of its own."


def weights(f: torch.nn.Module, g: torch.nn.Module) -> list[float]:
    """All weights of both encoders."""
    return torch.cat([p.detach().flatten() for p in (*f.parameters(), *g.parameters())]).tolist()


def both_ways(f: torch.nn.Module, g: torch.nn.Module, step: int, tau: float, shares: tuple[float, float],
              cut: str = "") -> Tensor:
    """InfoNCE of a step's batch in both directions, each with its share. cut: which side of each direction is detached,
    "asks" or "candidates"."""
    x, other = batch(50 + step)
    a, b = f(x), g(other)
    kept = lambda z, side: z.detach() if cut == side else z
    way = lambda one, two: contrast.info_nce(kept(one, "asks"), kept(two, "candidates"), tau)
    return shares[0] * way(a, b) + shares[1] * way(b, a)


def trained(shares: tuple[float, float] = (0.5, 0.5), tau: float = 0.5, moves: str = "fg", keeps: float = 0.0,
            says: str = "before", cut: str = "", sign: int = 1) -> list[float]:
    """The losses of the steps of SGD, then the weights; the options are the known faults. sign: -1 goes up the loss;
    says: which loss is returned, "before" the step, "after" it, or the "negative" of the one before."""
    f, g = sides(40)
    params = [*f.parameters(), *g.parameters()]
    moving = [name in moves for name, side in (("f", f), ("g", g)) for _ in side.parameters()]
    past, losses = [torch.zeros_like(p) for p in params], []
    for step in range(STEPS):
        loss = both_ways(f, g, step, tau, shares, cut)
        past = [keeps * old + new for old, new in zip(past, torch.autograd.grad(loss, params))]
        with torch.no_grad():
            for p, grad, moved in zip(params, past, moving):
                p -= RATE * sign * moved * grad
            said = both_ways(f, g, step, tau, shares) if says == "after" else loss
            losses.append(-float(said) if says == "negative" else float(said))
    return losses + weights(f, g)


STEP_FAULTS = (
    (TWICE, {"shares": (1, 0)}, "this is the loss from a to b alone, counted twice or with the other half left out; on "
     "the way back b asks: info_nce(b, a, tau)"),
    (ONE_WAY, {"shares": (0.5, 0)}, "half of the loss from a to b is here, and the other half is missing"),
    (OTHER_WAY, {"shares": (0, 1)}, "this is the loss from b to a alone; take the mean of both directions"),
    (SUMMED, {"shares": (1, 1)}, "the two directions are added; take their mean, so that the loss stays on the scale "
     "of log N"),
    (NO_TAU, {"tau": 1.0}, "the temperature that you were given does not reach the loss"),
    (STILL, {"moves": ""}, "both encoders are after two steps what they were before; the gradient needs backward(), "
     "and after it the optimiser needs step(), with no zero_grad() between"),
    (NO_DETOUR, {"moves": "f"}, "g never moves, because no gradient reaches it; look for detach() or no_grad"),
    (NO_DETOUR, {"moves": "g"}, "f never moves, because no gradient reaches it; look for detach() or no_grad"),
    (NO_RIVALS, {"cut": "candidates"}, "in each direction the candidates are detached, so only the side that asks "
     "learns from it; both arguments of info_nce need their gradient"),
    (NO_ANCHORS, {"cut": "asks"}, "in each direction the side that asks is detached, so only the candidates learn from "
     "it; both arguments of info_nce need their gradient"),
    (UPHILL, {"sign": -1}, "every step goes up the loss; backward() is called on the loss itself, without a minus"),
    (UPHILL, {"sign": -1, "says": "negative"}, "every step goes up the loss: info_nce already holds the minus, so the "
     "loss takes no second one"),
    (PILED_UP, {"keeps": 1.0}, "the first step is right, but the second adds its gradient to that of the first; "
     "zero_grad() empties them"),
    (AFTER, {"says": "after"}, "the training is right, but the number is the loss after the step; hand back the one "
     "that you went down on"),
)


class Claim(NamedTuple):
    """That the arm `one` of the study beats the arm `other` in `field`. verdict, name, why, slip: as in
    `entries.misjudged`."""

    one: str
    other: str
    field: str
    verdict: str
    name: str
    why: str
    slip: str | None = None


CLAIMS = {
    "a": Claim("two encoders", "one encoder, same pairs", "across", "open", "the larger mean wins",
               "the means are far apart, but the one encoder ends anywhere from 42 to 83 %, and the interval of the "
               "paired difference includes zero", slip="yes"),
    "b": Claim("two encoders", "pixels, chalk inverted", "across", "yes", "a difference that is there, left open",
               "the interval of the difference lies far above zero", slip="open"),
    "c": Claim("ProtoNet", "pixels", "chalk", "open", "the larger mean wins",
               "pixels have the larger mean, but the interval of the difference includes zero", slip="no"),
    "d": Claim("two encoders", "ProtoNet", "test", "no", "best across taken for best at home",
               "on paper the interval of the paired difference lies below zero: ProtoNet trained on the very task",
               slip="yes"),
    "e": Claim("one encoder, no pairs across", "pixels", "across", "no", "seeing both taken for matching them",
               "the interval lies below zero: an encoder that saw both renderings, but no pair across, does worse "
               "than raw pixels", slip="yes"),
}


def check_verdicts(answer: object) -> str:
    """16.4: what paired intervals of the study bear out."""
    return check_claims(answer, CLAIMS)
