"""Checks of lesson 16: InfoNCE, NT-Xent, the symmetric loss, and retrieval, against loops written from the papers."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from mlcourse.exercises.framework import LearnerFunction, Misconception, NotYet, all_of, explain
from mlcourse.exercises.gradients import gradients_by
from mlcourse.exercises.values import DIGITS, numbers, scalar

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
FARTHEST = "the farthest instead of the nearest"
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
            asks: str = "both", add: str = "mean", negatives: str = "all") -> float:
    """NT-Xent by loops; the options are the known faults."""
    if negatives == "other side":
        return info_nce(a, b, tau, score, add=add)
    n, z = len(a), torch.cat([a, b])
    rows, partner = table(z, z, tau, score), lambda i: (i + n) % (2 * n)
    if diagonal == "zero":
        rows = [[0.0 if i == j else value for j, value in enumerate(row)] for i, row in enumerate(rows)]
    hidden = lambda i, j: (i == j and diagonal == "masked") or (j == partner(i) and not positive)
    losses = found(rows, partner, hidden)[:n if asks == "first" else 2 * n]
    return mean(losses) if add == "mean" else sum(losses)


XENT_FAULTS = (
    (SELF, {"diagonal": "kept"}, "every view is most similar to itself, and that similarity still stands in its "
     "denominator: even a perfect encoder pays for it. Mask the diagonal"),
    *SCORES,
    (HALF, {"asks": "first"}, "the N first views ask and the N second ones do not; all 2N views are anchors"),
    (NO_POSITIVE, {"positive": False}, "the partner must stay in the denominator; only the view itself leaves it"),
    ("masked with 0", {"diagonal": "zero"}, "a logit of 0 still adds exp(0) = 1 to the denominator; a logit of minus "
     "infinity adds nothing"),
    ("in-batch InfoNCE instead", {"negatives": "other side"}, "the negatives of NT-Xent are all 2N - 2 other views, "
     "those of the same side included"),
    (SUMMED, {"add": "sum"}, "the loss is the mean over the 2N views"),
)


def check_symmetric(answer: object) -> str:
    """16.3: InfoNCE in both directions."""
    function = LearnerFunction(answer, "symmetric_loss")
    judge_loss(function, ((5, 0.5, 20), (8, 0.2, 23), (3, 1.0, 25)), symmetric, SYMMETRIC_FAULTS, "pairs")
    a, b = pairs(4, 27)
    forth, back = (float(loss_of(function, *(side.clone() for side in sides), 0.5).detach())
                   for sides in ((a, b), (b, a)))
    if not near(forth, back):
        raise NotYet("the loss changes when the two sides are swapped; a symmetric one does not.")
    return "Both directions count, swapping the sides changes nothing, and the gradient reaches both encoders."


def symmetric(a: Tensor, b: Tensor, tau: float, score: str = "cosine",
              shares: tuple[float, float] = (0.5, 0.5)) -> float:
    """The symmetric loss by loops; the options are the known faults."""
    forth, back = (info_nce(a, b, tau, score, way) for way in ("forth", "back"))
    return shares[0] * forth + shares[1] * back


SYMMETRIC_FAULTS = (
    (TWICE, {"shares": (1, 0)}, "this is the loss from pictures to strokes alone, counted twice or with the other half "
     "left out; for the way back the softmax runs over the pictures: transpose the logits"),
    (ONE_WAY, {"shares": (0.5, 0)}, "half of the loss from pictures to strokes is here, and the other half is missing"),
    (OTHER_WAY, {"shares": (0, 1)}, "this is the loss from strokes to pictures alone; take the mean of both "
     "directions"),
    (SUMMED, {"shares": (1, 1)}, "the two directions are added; take their mean, so that the loss stays on the scale "
     "of log N"),
    *SCORES,
)


def check_retrieval(answer: object) -> str:
    """16.4: retrieval at 1 both ways, and how many times chance."""
    function = LearnerFunction(answer, "retrieval_at_1")
    sides = [pairs(n, seed) for n, seed in ((12, 31), (30, 33), (7, 38))]
    two = "retrieval_at_1 must return two numbers: the share found from a to b, and the one from b to a"
    got = [share for a, b in sides for share in numbers(function(a.clone(), b.clone()), 2, two)]
    theirs = lambda **faults: [share for a, b in sides for share in shares(a, b, **faults)]
    want = theirs()
    if not all_near(got, want):
        explain(got, theirs, RETRIEVAL_FAULTS, all_near)
        i = next(i for i, pair in enumerate(zip(got, want)) if not near(*pair)) // 2
        raise NotYet(f"for {len(sides[i][0])} pairs the shares are {want[2 * i]:.4f} and {want[2 * i + 1]:.4f}, but "
                     f"you returned {got[2 * i]:.4f} and {got[2 * i + 1]:.4f}.")
    return "Both shares agree with a loop over all queries, in 3 batches."


def shares(a: Tensor, b: Tensor, score: str = "cosine", best: int = 1, ways: tuple[int, int] = (0, 1),
           unit: Callable[[int], float] = lambda n: 1) -> list[float]:
    """The shares found both ways, by loops; the options are the known faults."""
    both = rates([[best * value for value in row] for row in table(a, b, 1.0, score)])
    return [unit(len(a)) * both[way] for way in ways]


RETRIEVAL_FAULTS = (
    (TWICE, {"ways": (0, 0)}, "both numbers are those from a to b; on the way back the nearest a is sought for each b, "
     "over the other dimension"),
    (TWICE, {"ways": (1, 1)}, "both numbers are those from b to a; from a to b the nearest b is sought for each a"),
    ("the two directions swapped", {"ways": (1, 0)}, "the first number is the share of a whose nearest b is the "
     "partner: the maximum over j of row i"),
    (NO_NORM, {"score": "dot"}, "long vectors win dot products whoever asks; compare unit vectors"),
    (FARTHEST, {"best": -1}, "the similarity of the partner must be the largest, not the smallest"),
    ("counts instead of shares", {"unit": lambda n: n}, "divide by the number of pairs"),
    ("per cent instead of shares", {"unit": lambda n: 100}, "return shares between 0 and 1"),
)


def rates(rows: list[list[float]]) -> tuple[float, float]:
    """The share of rows, and of columns, whose largest entry stands on the diagonal."""
    hit = lambda table: mean([float(max(range(len(row)), key=row.__getitem__) == i) for i, row in enumerate(table)])
    return hit(rows), hit(transposed(rows))
