"""The check of lesson 10 on the query loss: what is fitted, what is asked, and whom the gradient reaches."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from mlcourse.exercises.framework import LearnerFunction, Misconception, NotYet, explain
from mlcourse.exercises.values import scalar
from mlcourse.learners.r2d2 import ridge

WAY, SIDE = 3, 2
COUNTS = (2, 1, 3)
CUT = "the gradient is cut"
Pair = tuple[Tensor, Tensor]


def numbers(seed: int, *shape: int) -> Tensor:
    """Fixed numbers, float64."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Model:
    """A generator of `count` samples with weights `to_made`, and a ridge regression on pixels."""

    def __init__(self, count: int):
        self.count, self.to_made = count, numbers(3, SIDE**2, SIDE**2).requires_grad_()

    def make(self, x: Tensor) -> Tensor:
        """x (N, 1, SIDE, SIDE) -> (N, count, 1, SIDE, SIDE)."""
        made = torch.tanh((x.double().flatten(1) @ self.to_made)[:, None] + numbers(4, self.count, SIDE**2))
        return made.unflatten(2, (1, SIDE, SIDE))

    def fit(self, x: Tensor, y: Tensor) -> Callable[[Tensor], Tensor]:
        """The classifier of x (M, 1, SIDE, SIDE) with labels y (M,). Raises ValueError where their numbers differ."""
        if x.ndim != 4 or y.ndim != 1 or len(x) != len(y):
            raise ValueError(f"fit takes pictures (M, 1, {SIDE}, {SIDE}) and labels (M,), got {tuple(x.shape)} and "
                             f"{tuple(y.shape)}")
        weight = ridge(x.double().flatten(1), F.one_hot(y.long(), WAY).double(), torch.tensor(0.3))
        return lambda asked: 3 * asked.double().flatten(1) @ weight


def episode() -> tuple[Pair, Pair]:
    """A support set whose labels are in no order, and queries."""
    return ((numbers(0, WAY, 1, SIDE, SIDE), torch.tensor([2, 0, 1])),
            (numbers(1, 5, 1, SIDE, SIDE), torch.tensor([0, 2, 2, 1, 1])))


def check_query_loss(answer: object) -> str:
    """10.5: for several numbers of samples, the loss and its gradient."""
    query_loss = LearnerFunction(answer, "query_loss", because="support and query belong to the caller")
    for count in COUNTS:
        model = Model(count)
        result = scalar(query_loss(model.make, model.fit, *episode()),
                        "query_loss must return the loss, a scalar tensor of floats")
        right = lambda count=count, **faults: truth(Model(count), **faults)
        if not close(result, right()):
            explain(result, right, FAULTS, close)
            raise NotYet(f"with {count} samples of each class the loss must be {right().item():.4f}, yours is "
                         f"{result.item():.4f}.")
        passes(result, model)
    return "Right for 1, 2 and 3 samples of each class, and its gradient reaches the generator."


def passes(result: Tensor, model: Model) -> None:
    """Raise Misconception where the gradient of the generator's weights is not that of the loss."""
    twin = Model(model.count)
    wanted, = torch.autograd.grad(truth(twin), twin.to_made)
    got, = torch.autograd.grad(result, model.to_made, allow_unused=True) if result.requires_grad else (None,)
    if got is None or not torch.allclose(got, wanted, rtol=1e-3, atol=1e-6):
        raise Misconception(CUT, "the loss is right, but its gradient does not reach the generator through the "
                            "samples; look for detach, no_grad or .data.")


def close(one: Tensor, other: Tensor) -> bool:
    """Whether two losses are the same number, up to the digits of float32."""
    return torch.allclose(*(each.detach().double() for each in (one, other)), rtol=1e-4, atol=1e-6)


def truth(model: Model, supports: bool = True, samples: bool = True, labels: str = "of the support", leak: bool = False,
          asked: str = "queries", reduction: str = "mean", soft: bool = False) -> Tensor:
    """The loss, the support set put together picture by picture; the options are the known faults."""
    (x, y), (query_x, query_y) = episode()
    made = model.make(x)
    rows = [(x[n], y[n]) for n in range(WAY)] if supports else []
    for n in range(WAY if samples else 0):
        for k in range(model.count):
            own = {"of the support": y[n], "in turn": y[(n * model.count + k) % WAY], "counted": torch.tensor(n)}
            rows.append((made[n, k], own[labels]))
    rows += [*zip(query_x, query_y, strict=True)] if leak else []
    pictures, names = (torch.stack(part) for part in zip(*rows or [(0 * x[0], y[0])], strict=True))
    to, wanted = {"queries": (query_x, query_y), "supports": (x, y), "fitted": (pictures, names)}[asked]
    logits = model.fit(pictures, names)(to)
    return F.cross_entropy(logits.softmax(1) if soft else logits, wanted, reduction=reduction)


FAULTS = (
    ("samples with the labels of other classes", {"labels": "in turn"}, "flatten(0, 1) goes class by class, "
     "0 0 1 1 2 2, and repeat counts through, 0 1 2 0 1 2; repeat_interleave keeps a class together"),
    ("labels counted in place of read", {"labels": "counted"}, "the support set is in any order: the samples of row i "
     "have the label y[i]"),
    ("the samples are left out", {"samples": False}, "the classifier is fitted on the drawings and on the samples"),
    ("the drawings are left out", {"supports": False}, "the samples join the support set; its drawings stay in it"),
    ("the loss of the support set", {"asked": "supports"}, "ask for the queries, which the classifier has not seen"),
    ("the loss of what was fitted", {"asked": "fitted"}, "ask for the queries, which the classifier has not seen"),
    ("the queries are fitted, too", {"leak": True}, "what is to be answered must not be fitted"),
    ("the sum over the queries", {"reduction": "sum"}, "the loss is the mean over the queries"),
    ("softmax twice", {"soft": True}, "the classifier gives logits; take cross_entropy of them"),
)
