"""The check of lesson 10 on manifold mixup: what is mixed, where, and with which labels."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from mlcourse.exercises.framework import LearnerFunction, Misconception, NotYet, explain
from mlcourse.exercises.values import scalar

M, WAY = 6, 3
ORDER = torch.tensor([2, 0, 1, 5, 3, 4])        # not its own inverse
LAMBDAS = (0.8, 0.25)
CUT, IN_PLACE = "the gradient is cut", "the batch changed in place"


def weights(seed: int, *shape: int) -> Tensor:
    """Fixed numbers, float64."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Layers:
    """Three layers of a network, the last of which gives logits, and how often each was called."""

    def __init__(self):
        self.weights = [weights(seed, *shape).requires_grad_() for seed, shape in enumerate(((4, 5), (5, 4), (4, WAY)))]
        self.calls = [0, 0, 0]

    def listed(self) -> list:
        """The layers as functions."""
        return [self._layer(i) for i in range(3)]

    def _layer(self, i: int):
        def layer(h: Tensor) -> Tensor:
            self.calls[i] += 1
            h = h.to(torch.float64) @ self.weights[i]
            return torch.tanh(h) if i < 2 else h
        return layer


def check_mixed_loss(answer: object) -> str:
    """10.5: three places, two shares, and λ = 1."""
    mixed_loss = LearnerFunction(answer, "mixed_loss")
    x, y = weights(7, M, 4), torch.tensor([0, 1, 2, 2, 0, 1])
    for at in (0, 2, 1):
        for lam in LAMBDAS:
            layers, kept, labels = Layers(), x.clone(), y.clone()
            result = scalar(mixed_loss(layers.listed(), kept, labels, WAY, lam, ORDER.clone(), at),
                            "mixed_loss must return the loss, a scalar tensor of floats")
            if not (torch.equal(kept, x) and torch.equal(labels, y)):
                raise Misconception(IN_PLACE, "x and y belong to the caller; build new tensors.")
            judged(result, x, y, lam, at)
            passes(result, layers, x, y, lam, at)
    plain = scalar(mixed_loss(Layers().listed(), x.clone(), y.clone(), WAY, 1.0, ORDER.clone(), 1), "the loss")
    if not close(plain, truth(x, y, 1.0, 3)):
        raise NotYet("with lam = 1 nothing is mixed, and the loss is the plain cross-entropy.")
    return "Right before the first, the second and the last layer; with λ = 1 it is plain cross-entropy."


def passes(result: Tensor, layers: Layers, x: Tensor, y: Tensor, lam: float, at: int) -> None:
    """Raise Misconception where the gradients of the weights are not those of the loss."""
    twin = Layers()
    wanted = torch.autograd.grad(truth(x, y, lam, at, layers=twin), twin.weights)
    got = torch.autograd.grad(result, layers.weights, allow_unused=True) if result.requires_grad else [None] * 3
    for i, (slope, right) in enumerate(zip(got, wanted, strict=True)):
        if slope is None or not torch.allclose(slope, right, rtol=1e-3, atol=1e-6):
            raise Misconception(CUT, f"the loss is right, but the gradient of layer {i}'s weights is not; the layers before "
                                "the mixing learn through it, too.")


def judged(result: Tensor, x: Tensor, y: Tensor, lam: float, at: int) -> None:
    """Raise what is wrong with one loss."""
    right = lambda **faults: truth(x, y, lam, at, **faults)
    if not close(result, right()):
        explain(result, right, MIX_FAULTS, close)
        raise NotYet(f"mixed before layer {at} with lam = {lam} the loss must be {right().item():.4f}, yours is "
                     f"{result.item():.4f}.")


def close(one: Tensor, other: Tensor) -> bool:
    """Whether two losses are the same number, up to the digits of float32."""
    return torch.allclose(*(each.detach().double() for each in (one, other)), rtol=1e-4, atol=1e-6)


def truth(x: Tensor, y: Tensor, lam: float, at: int, labels: str = "mixed", swapped: bool = False, where: str = "at",
          reduction: str = "mean", soft: bool = False,
          layers: Layers | None = None) -> Tensor:
    """The loss, a sum over pairs; the options are the known faults."""
    layers = (layers or Layers()).listed()
    lam = 1 - lam if swapped else lam
    place = {"at": at, "pictures": 0, "logits": len(layers), "one later": min(at + 1, len(layers)),
             "never": len(layers) + 1}[where]
    h = x
    for i, layer in enumerate([*layers, lambda h: h]):
        if i == place:
            h = lam * h + (1 - lam) * h[ORDER]
        h = layer(h)
    log_p = (h.softmax(1) if soft else h).log_softmax(1)
    first, second = (F.nll_loss(log_p, target, reduction=reduction) for target in (y, y[ORDER]))
    other = F.nll_loss(log_p, y[torch.argsort(ORDER)], reduction=reduction)
    half = (first + second) / 2
    return {"mixed": lam * first + (1 - lam) * second, "first": first, "turned": (1 - lam) * first + lam * second,
            "inverse": lam * first + (1 - lam) * other, "half": half}[labels]


MIX_FAULTS = (
    ("the labels are not mixed", {"labels": "first"}, "what is mixed of two classes has the labels of both, in the "
     "same shares"),
    ("the shares of the labels swapped", {"labels": "turned"}, "lam is the share of the first in features and labels "
     "alike"),
    ("labels by another permutation", {"labels": "inverse"}, "row i is mixed with row order[i], so its label is mixed "
     "with y[order[i]]"),
    ("halves in place of shares", {"labels": "half"}, "the labels are mixed in the shares lam and 1 - lam"),
    ("λ is the share of the other", {"swapped": True}, "lam is the share of the row itself, and row order[i] has the rest; "
     "with the inverse of the order the shares change places, too"),
    ("mixed in the pictures", {"where": "pictures"}, "`at` layers run before the mixing"),
    ("only the logits are mixed", {"where": "logits"}, "the layers from `at` on see what is mixed"),
    ("one layer too late", {"where": "one later"}, "at = 0 mixes the pictures, before any layer has run"),
    ("nothing is mixed", {"where": "never"}, "the features themselves are mixed, not only the labels"),
    ("the sum over the batch", {"reduction": "sum"}, "the loss is the mean over the rows"),
    ("softmax twice", {"soft": True}, "the last layer gives logits; take log_softmax or cross_entropy of them"),
)
