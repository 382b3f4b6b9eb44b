"""Checks of lesson 16: InfoNCE, NT-Xent, the symmetric loss, and retrieval, against loops written from the papers."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from mlcourse.exercises.framework import Crashed, LearnerFunction, Misconception, NotYet, kind

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


def scalar(function: LearnerFunction, *args) -> Tensor:
    """The learner's loss as a scalar tensor."""
    got = function(*args)
    if not isinstance(got, Tensor) or got.numel() != 1 or not got.is_floating_point():
        what = f"a tensor of shape {tuple(got.shape)}" if isinstance(got, Tensor) else kind(got)
        raise NotYet(f"{function.name} must return a scalar tensor, so that it can be differentiated; got {what}.")
    return got


def near(got, want: float) -> bool:
    """Whether two numbers agree to 1e-6; no for nan."""
    return abs(float(got) - want) <= 1e-6 * max(1.0, abs(want))


def compare(got: Tensor, want: float, known: list[tuple[str, float, str]], what: str) -> None:
    """Raise the known mistake whose value was returned, or say what the value should be."""
    if near(got.detach(), want):
        return
    for name, value, why in known:
        if near(got.detach(), value):
            raise Misconception(name, why + ".")
    raise NotYet(f"for {what} a double loop over the definition gives {want:.4f}, but you returned "
                 f"{float(got.detach()):.4f}.")


def check_gradient(function: LearnerFunction, a: Tensor, b: Tensor, tau: float) -> None:
    """The gradient with respect to both sides, along a random direction, against a central difference."""
    a, b = a.clone().requires_grad_(), b.clone().requires_grad_()
    loss = scalar(function, a, b, tau)
    grads = torch.autograd.grad(loss, (a, b), allow_unused=True) if loss.requires_grad else (None, None)
    if any(g is None or not g.abs().max() > 0 for g in grads):
        side = "first" if grads[0] is None or not grads[0].abs().max() > 0 else "second"
        raise Misconception(NO_DETOUR, f"the value is right, but no gradient reaches the {side} side, so its encoder "
                            "would not learn; look for detach(), .data, item() or no_grad.")
    u = torch.randn(2, *a.shape, generator=torch.Generator().manual_seed(9), dtype=torch.float64)
    with torch.no_grad():
        ends = [float(scalar(function, a + h * u[0], b + h * u[1], tau)) for h in (1e-5, -1e-5)]
    along = float(sum((g * d).sum() for g, d in zip(grads, u)))
    if not abs(along - (ends[0] - ends[1]) / 2e-5) <= 1e-4 * max(1.0, abs(along)):
        raise Misconception(NO_DETOUR, "the value is right, but its gradient is not that of the value; look for a part "
                            "that is detached.")


def check_info_nce(answer: object) -> str:
    """16.1: InfoNCE in one direction, and its gradient."""
    info_nce = LearnerFunction(answer, "info_nce")
    for n, tau, seed in ((5, 0.5, 0), (8, 0.2, 3), (2, 1.5, 5)):
        a, b = pairs(n, seed)
        got = scalar(info_nce, a.clone(), b.clone(), tau)
        rows, own = table(a, b, tau), lambda i: i
        losses = found(rows, own)
        other = lambda score: mean(found(table(a, b, tau, score), own))
        known = [
            (NO_NORM, other("dot"), "the score is the dot product of vectors as they are, so the loss can be lowered "
             "by making them longer; divide each by its length first"),
            (MULTIPLIED, other("times"), "the similarity is divided by tau, so that a small temperature sharpens the "
             "softmax"),
            (NO_TAU, other("plain"), "tau does not enter; the logits are the similarities divided by tau"),
            (SUMMED, sum(losses), "the loss is the mean over the anchors, so that it does not grow with the batch"),
            (OTHER_WAY, mean(found(transposed(rows), own)), "you let b search for its partner in a: here a_i searches "
             "among all b_j, so the softmax runs over j"),
            (NO_POSITIVE, mean(found(rows, own, lambda i, j: i == j)), "the sum in the denominator runs over all j, "
             "the partner included, or the loss has no lower end"),
            (ALL_PAIRS, mean([mean([math.log(sum(map(math.exp, row))) - value for value in row]) for row in rows]),
             "you averaged over every pair (i, j); only j = i is a positive"),
            ("sign", -mean(losses), "the loss must be small when partners are found, so the log of the softmax gets a "
             "minus"),
            ("no logarithm", -mean([math.exp(-value) for value in losses]), "this is minus the mean probability of the "
             "partner; InfoNCE is the mean of minus its logarithm"),
        ]
        compare(got, mean(losses), known, f"{n} pairs at tau = {tau}")
        check_gradient(info_nce, a, b, tau)
    return "It agrees with a double loop over the definition in 3 batches, and so does its gradient on both sides."


def check_nt_xent(answer: object) -> str:
    """16.2: NT-Xent with itself masked and unit vectors."""
    nt_xent = LearnerFunction(answer, "nt_xent")
    for n, tau, seed in ((4, 0.5, 10), (6, 0.2, 13), (2, 1.0, 15)):
        a, b = pairs(n, seed)
        z = torch.cat([a, b])
        try:
            got = scalar(nt_xent, a.clone(), b.clone(), tau)
        except Crashed as crash:
            if "in-place" in str(crash.error):
                raise NotYet("an in-place change broke the graph; masked_fill makes a new tensor.") from None
            raise
        partner, itself = lambda i: (i + n) % (2 * n), lambda i, j: i == j
        rows, dots = table(z, z, tau), table(z, z, tau, "dot")
        others = lambda i, j: j in (i, partner(i))
        known = [
            (SELF, mean(found(rows, partner)), "every view is most similar to itself, and that similarity of 1 still "
             "stands in its denominator: even a perfect encoder pays for it. Mask the diagonal"),
            (NO_NORM, mean(found(dots, partner, itself)), "the diagonal is masked, but the similarities are dot "
             "products of vectors as they are; divide each by its length first"),
            (f"{SELF}, {NO_NORM}", mean(found(dots, partner)), "this is what the broken version returns: the diagonal "
             "is in the denominators, and vectors keep their lengths. There are two bugs"),
            (HALF, mean(found(rows, partner, itself)[:n]), "the N first views ask and the N second ones do not; all 2N "
             "views are anchors"),
            (NO_POSITIVE, mean(found(rows, partner, others)), "the partner must stay in the denominator; only the view "
             "itself leaves it"),
            ("masked with 0", mean(found([[0.0 if i == j else value for j, value in enumerate(row)]
                                          for i, row in enumerate(rows)], partner)),
             "a logit of 0 still adds exp(0) = 1 to the denominator; a logit of minus infinity adds nothing"),
            ("in-batch InfoNCE instead", mean(found(table(a, b, tau), lambda i: i)), "the negatives of NT-Xent are all "
             "2N - 2 other views, those of the same side included"),
            (NO_TAU, mean(found(table(z, z, tau, "plain"), partner, itself)), "tau does not enter; divide the "
             "similarities by it"),
            (SUMMED, sum(found(rows, partner, itself)), "the loss is the mean over the 2N views"),
        ]
        compare(got, mean(found(rows, partner, itself)), known, f"{n} pictures at tau = {tau}")
        check_gradient(nt_xent, a, b, tau)
    return "Nothing is compared with itself, lengths do not count, and value and gradient agree with the double loop."


def check_symmetric(answer: object) -> str:
    """16.3: InfoNCE in both directions."""
    symmetric = LearnerFunction(answer, "symmetric_loss")
    for n, tau, seed in ((5, 0.5, 20), (8, 0.2, 23), (3, 1.0, 25)):
        a, b = pairs(n, seed)
        got = scalar(symmetric, a.clone(), b.clone(), tau)
        rows, own = table(a, b, tau), lambda i: i
        forth, back = mean(found(rows, own)), mean(found(transposed(rows), own))
        dots = table(a, b, tau, "dot")
        known = [
            (TWICE, forth, "this is the loss from pictures to strokes alone, counted twice or with the other half left "
             "out; for the way back the softmax runs over the pictures: transpose the logits"),
            (ONE_WAY, forth / 2, "half of the loss from pictures to strokes is here, and the other half is missing"),
            (OTHER_WAY, back, "this is the loss from strokes to pictures alone; take the mean of both directions"),
            (SUMMED, forth + back, "the two directions are added; take their mean, so that the loss stays on the scale "
             "of log N"),
            (NO_NORM, (mean(found(dots, own)) + mean(found(transposed(dots), own))) / 2, "both directions are there, "
             "but without unit vectors"),
        ]
        compare(got, (forth + back) / 2, known, f"{n} pairs at tau = {tau}")
        swapped = scalar(symmetric, b.clone(), a.clone(), tau)
        if not near(swapped.detach(), float(got.detach())):
            raise NotYet("the loss changes when the two sides are swapped; a symmetric one does not.")
        check_gradient(symmetric, a, b, tau)
    return "Both directions count, swapping the sides changes nothing, and the gradient reaches both encoders."


def check_retrieval(answer: object) -> str:
    """16.4: retrieval at 1 both ways, and how many times chance."""
    retrieval = LearnerFunction(answer, "retrieval_at_1")
    for n, seed in ((12, 31), (30, 33), (7, 38)):
        a, b = pairs(n, seed)
        got = retrieval(a.clone(), b.clone())
        try:
            forth, back = (float(value) for value in got)
        except (TypeError, ValueError, RuntimeError):
            raise NotYet("retrieval_at_1 must return two numbers: the share found from a to b, and the one from b to "
                         "a.") from None
        want = rates(table(a, b, 1.0))
        if near(forth, want[0]) and near(back, want[1]):
            continue
        dots, own = rates(table(a, b, 1.0, "dot")), rates([[-v for v in row] for row in table(a, b, 1.0)])
        same = lambda pair: near(forth, pair[0]) and near(back, pair[1])
        known = [
            ((want[0], want[0]), TWICE, "both numbers are those from a to b; on the way back the nearest a is sought "
             "for each b, over the other dimension"),
            ((want[1], want[1]), TWICE, "both numbers are those from b to a; from a to b the nearest b is sought for "
             "each a"),
            (want[::-1], "the two directions swapped", "the first number is the share of a whose nearest b is the "
             "partner: the maximum over j of row i"),
            (dots, NO_NORM, "long vectors win dot products whoever asks; compare unit vectors"),
            (own, FARTHEST, "the similarity of the partner must be the largest, not the smallest"),
            ((n * want[0], n * want[1]), "counts instead of shares", "divide by the number of pairs"),
            ((100 * want[0], 100 * want[1]), "per cent instead of shares", "return shares between 0 and 1"),
        ]
        for pair, name, why in known:
            if same(pair):
                raise Misconception(name, why + ".")
        raise NotYet(f"for {n} pairs the shares are {want[0]:.4f} and {want[1]:.4f}, but you returned {forth:.4f} and "
                     f"{back:.4f}.")
    return "Both shares agree with a loop over all queries, in 3 batches."


def rates(rows: list[list[float]]) -> tuple[float, float]:
    """The share of rows, and of columns, whose largest entry stands on the diagonal."""
    hit = lambda table: mean([float(max(range(len(row)), key=row.__getitem__) == i) for i, row in enumerate(table)])
    return hit(rows), hit(transposed(rows))
