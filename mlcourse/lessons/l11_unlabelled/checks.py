"""Checks of lesson 11 on code that moves prototypes: a step of soft k-means, and one with a mask."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from mlcourse.exercises.framework import LearnerFunction, Misconception, NotYet, explain
from mlcourse.exercises.values import tensor

COUNTS = ((1, 1, 1), (3, 1, 2, 1))          # labelled drawings of each class
FEATURES, UNLABELLED = 4, 9
CUT, IN_PLACE = "the gradient is cut", "overwritten in place"


class Drawings(NamedTuple):
    """Labelled z (M, D) with y (M,) in mixed order, unlabelled u (U, D), and prototypes c (N, D)."""

    z: Tensor
    y: Tensor
    u: Tensor
    c: Tensor


def drawn(counts: tuple[int, ...]) -> Drawings:
    """What the checks ask about: c are not the means of z."""
    generator = torch.Generator().manual_seed(len(counts))
    normal = lambda rows: torch.randn(rows, FEATURES, generator=generator, dtype=torch.float64)
    y = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    y = y[torch.randperm(len(y), generator=generator)]
    return Drawings(0.6 * normal(len(y)), y, 0.7 * normal(UNLABELLED), 0.6 * normal(len(counts)))


def same(one: Tensor, other: Tensor) -> bool:
    """Whether two answers agree, float32 allowed."""
    return torch.allclose(one, other, rtol=1e-4, atol=1e-5)


# ---------------------------------------------------------------- 11.1

REFINE_FAULTS = (
    ("the labels taken for sorted", {"labelled": "sorted"}, "row i of z is a drawing of class y[i], in any order"),
    ("the labelled drawings shared out, too", {"labelled": "soft"}, "a labelled drawing counts wholly for its class"),
    ("the labelled drawings left out", {"labelled": "none"}, "a new prototype is the mean of its labelled drawings and "
                                                             "its shares of the pool"),
    ("the prototype in place of the labelled drawings", {"labelled": "one"}, "each labelled drawing counts once, z "
     "with its labels; c only says where the pool's shares go"),
    ("the nearest prototype gets all", {"share": "hard"}, "here a drawing is shared out by a softmax; an argmin gives "
                                                          "it to one class"),
    ("shares that sum to 1 over the drawings", {"axis": 0}, "each drawing is shared out among the classes, so its row "
                                                            "sums to 1"),
    ("the length, not its square", {"power": 1}, "the softmax is over minus the squared distances"),
    ("the farthest class gets most", {"sign": 1}, "a small distance must give a large share"),
    ("divided by the labelled drawings alone", {"divide": "labelled"}, "what is in the numerator's sum counts in the "
     "denominator: divide by labelled drawings plus shares"),
    ("divided by the pool's shares alone", {"divide": "pool"}, "labelled drawings are in the numerator's sum, so they "
                                                               "count in the denominator, too"),
    ("divided by all drawings", {"divide": "all"}, "a class gets a share of each drawing, so divide by the sum of its "
                                                   "shares, not by the size of the pool"),
    ("shares from the labelled drawings' means", {"anew": True}, "line [2] asks for distances to c, the prototypes so "
                                                                 "far, which after a first step are no class means"),
)


def check_refine(answer: object) -> str:
    """11.1: one step for two sets, without a pool, and its gradient."""
    refine = LearnerFunction(answer, "refine")
    for counts in COUNTS:
        data = drawn(counts)
        wanted = f"for {len(counts)} classes and {FEATURES} features the prototypes must have the shape "
        wanted += f"({len(counts)}, {FEATURES})"
        got = tensor(refine(*(each.clone() for each in data)), (len(counts), FEATURES), wanted)
        truth = lambda data=data, **faults: refined(data, **faults)
        if not same(got, truth()):
            explain(got, truth, REFINE_FAULTS, same)
            raise NotYet("the new prototypes are not the means of the labelled drawings and the shares of the pool; "
                         "compute the shares first, then numerator and denominator.")
    none = data._replace(u=data.u[:0])
    got = tensor(refine(*none), (len(counts), FEATURES), f"{wanted}, for an empty pool, too")
    if not same(got, refined(none)):
        raise NotYet("with an empty pool the new prototypes must be the class means of the labelled drawings.")
    z, u = (each.clone().requires_grad_() for each in (data.z, data.u))
    check_graph(refine(1 * z, data.y, 1 * u, data.c), (z, u), "training moves the network by what the labelled and the "
                "unlabelled drawings do to the loss")
    return "Prototypes are right for even and uneven classes, and without a pool they are ProtoNet's."


def check_graph(result: object, leaves: tuple[Tensor, ...], why: str) -> None:
    """Raise a Misconception unless gradients flow from the result to all leaves."""
    if isinstance(result, (list, tuple)) and all(isinstance(each, Tensor) for each in result):
        result = torch.stack(list(result))
    graph = isinstance(result, Tensor) and result.requires_grad
    try:
        found = torch.autograd.grad(result.square().sum(), leaves, allow_unused=True) if graph else (None,)
    except RuntimeError:
        raise Misconception(IN_PLACE, "the numbers are right, but a tensor that the gradient needs was overwritten; "
                            "write into a new one.") from None
    if not all(g is not None and bool(g.any()) for g in found):
        raise Misconception(CUT, f"the numbers are right, but they carry no gradient back: {why}.")


def refined(data: Drawings, *, labelled: str = "hard", share: str = "soft", axis: int = 1, power: int = 2,
            sign: int = -1, divide: str = "shares", anew: bool = False) -> Tensor:
    """The prototypes after a step, class by class; the options are the known faults."""
    z, y, u, c = data
    way = len(c)
    hard = F.one_hot(y, way).to(z)
    c = hard.T @ z / hard.sum(0)[:, None] if anew else c
    far = lambda x: torch.stack([(x - each).norm(dim=1) ** power for each in c], 1)
    shares = (sign * far(u)).softmax(axis)
    shares = F.one_hot((sign * far(u)).argmax(1), way).to(z) if share == "hard" else shares
    own = {"hard": hard, "soft": (sign * far(z)).softmax(1), "none": 0 * hard,
           "sorted": F.one_hot(y.sort().values, way).to(z)}.get(labelled)
    above, below = (c, torch.ones(way).to(z)) if own is None else (own.T @ z, own.sum(0))
    counts = {"shares": below + shares.sum(0), "labelled": below, "pool": shares.sum(0), "all": below + len(u)}[divide]
    return (above + shares.T @ u) / counts[:, None]


# ---------------------------------------------------------------- 11.3

MASK_FAULTS = (
    ("the mask counts twice", {"top": 2}, "in the numerator a drawing with m = 1/2 weighs 1/4; multiply by m once"),
    ("the count is not masked", {"bottom": 0}, "what does not count in the numerator may not count in the "
                                               "denominator, or prototypes shrink towards 0"),
    ("the mask counts twice in the denominator", {"bottom": 2}, "in the denominator a drawing with m = 1/2 weighs 1/4; "
                                                                "multiply by m once"),
    ("the mask is left out", {"top": 0}, "the sum in the numerator needs m, once"),
    ("the shares are made to sum to 1 again", {"again": True}, "that undoes a mask which is the same for all classes: "
                                                               "a distractor would count wholly again"),
    ("the labelled drawings are masked", {"labelled": True}, "m is for the pool; labelled drawings count wholly"),
    ("divided by the pool alone", {"own": 0}, "labelled drawings are in the numerator's sum, so they count in the "
                                              "denominator, too"),
)


def check_masked(answer: object) -> str:
    """11.3: the mended step for two sets, the weight of m = 1/2, and its gradient."""
    masked = LearnerFunction(answer, "masked")
    for counts in COUNTS:
        data = drawn(counts)
        share, m = shares_and_mask(data)
        got = tensor(masked(data.z.clone(), data.y.clone(), data.u.clone(), share.clone(), m.clone()),
                     (len(counts), FEATURES), f"for {len(counts)} classes and {FEATURES} features the prototypes must "
                                              f"have the shape ({len(counts)}, {FEATURES})")
        truth = lambda data=data, share=share, m=m, **faults: masked_step(data, share, m, **faults)
        if not same(got, truth()):
            explain(got, truth, MASK_FAULTS, same)
            raise NotYet("each drawing of the pool shall weigh its share times its mask, once in the numerator and "
                         "once in the denominator; try it on paper with one labelled drawing at 0.")
    z, u, m = leaves = tuple(each.clone().requires_grad_() for each in (data.z, data.u, m))
    check_graph(masked(1 * z, data.y, 1 * u, share.clone(), 1 * m), leaves, "features and mask are learned by what all "
                "three do to the loss")
    return "A drawing with m = 1/2 weighs one half, one with m = 0 nothing."


def shares_and_mask(data: Drawings) -> tuple[Tensor, Tensor]:
    """Shares and masks (U, N); one mask is 0, one 1."""
    generator = torch.Generator().manual_seed(7)
    m = torch.rand(len(data.u), len(data.c), generator=generator, dtype=torch.float64)
    m[0], m[1] = 0.0, 1.0
    return (-torch.cdist(data.u, data.c) ** 2).softmax(1), m


def masked_step(data: Drawings, share: Tensor, m: Tensor, *, top: int = 1, bottom: int = 1, again: bool = False,
                labelled: bool = False, own: int = 1) -> Tensor:
    """The prototypes after a masked step; the options are the known faults."""
    one_hot = F.one_hot(data.y, share.shape[1]).to(data.z)
    one_hot = one_hot * m.mean(0) if labelled else one_hot
    if again:
        share = share * m / (share * m).sum(1, keepdim=True).clamp(min=1e-12)
        m = torch.ones_like(m)
    weight = lambda power: share * m**power
    return ((one_hot.T @ data.z + weight(top).T @ data.u) / (own * one_hot.sum(0) + weight(bottom).sum(0))[:, None])
