"""The freeze ladder: accuracy of a linear head on what a network makes of the target's pictures at every depth."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from mlcourse.domains import Domain
from mlcourse.episode.across import pixels
from mlcourse.lessons.l02_transfer.sources import DEPTHS, at_depths
from mlcourse.nets import Conv4

LABELS = (1, 2, 5, 10, 20, 50)      # of each class
TESTED = 400                        # pictures that accuracy is measured on
DRAWS = 5                           # of the labelled pictures, averaged
PENALTY = 0.1       # λ where none was chosen, as a share of the mean squared norm of the centred features


class Target:
    """Pictures of the target for the ladder: 50 labelled ones of each class to draw from, and TESTED others."""

    def __init__(self, train: Domain, test: Domain, seed: int = 0):
        classes = range(len(train.classes))
        pool = train.take(torch.cat([torch.nonzero(train.labels == c)[:LABELS[-1], 0] for c in classes]))
        test = test.take(torch.randperm(len(test.images), generator=torch.Generator().manual_seed(seed))[:TESTED])
        self.x = pixels(torch.cat([pool.images, test.images]))
        self.labels, self.test_labels = pool.labels, test.labels

    def drawn(self, k: int) -> Tensor:
        """(draws, N·k): the rows of k labelled pictures of each class, several times; once where there is no choice."""
        most, classes = LABELS[-1], len(self.labels) // LABELS[-1]
        generator = torch.Generator().manual_seed(k)
        one = lambda: torch.cat([c * most + torch.randperm(most, generator=generator)[:k] for c in range(classes)])
        return torch.stack([one() for _ in range(DRAWS if k < most else 1)])


class Ladder:
    """One network over one target: the products of all features with those of the labelled pictures are kept, so that
    a head is solved anew in milliseconds. penalty: λ at a depth and k, as a share."""

    def __init__(self, net: Conv4, target: Target, penalty: Callable[[int, int], float] = lambda depth, k: PENALTY):
        self.target, self.penalty, labelled = target, penalty, len(target.labels)
        with torch.no_grad():
            self.kernels = [z @ z[:labelled].T for z in at_depths(net, target.x)]      # each (P + Q, P), P labelled
        self._found: dict[tuple[int, int], float] = {}

    def ridge_accuracy(self, depth: int, k: int) -> float:
        """The share of right answers of a ridge head on the features at a depth, from k labels of each class."""
        if (depth, k) not in self._found:
            self._found[depth, k] = self._solved(depth, k)
        return self._found[depth, k]

    def by_depth(self, k: int) -> list[float]:
        """`ridge_accuracy` at every depth."""
        return [self.ridge_accuracy(depth, k) for depth in range(len(DEPTHS))]

    def _solved(self, depth: int, k: int) -> float:
        kernel, rows = self.kernels[depth], self.target.drawn(k)
        y = F.one_hot(self.target.labels).to(kernel.dtype)[rows]
        own = kernel[rows[:, :, None], rows[:, None, :]]
        asked = kernel[len(self.target.labels):][:, rows].transpose(0, 1)
        answers = solved(own, asked, y, self.penalty(depth, k)).argmax(-1)
        return float((answers == self.target.test_labels).float().mean())


def solved(own: Tensor, asked: Tensor, y: Tensor, penalty: float = PENALTY) -> Tensor:
    """The outputs (D, Q, N) of ridge heads from products of features alone, as `learners.baselines.ridge` gives them.

    own (D, M, M): the products of the M labelled features of each of D draws; asked (D, Q, M): of the asked with the
    labelled; y (D, M, N): one-hot labels.
    """
    column, whole = own.mean(1, keepdim=True), own.mean((1, 2), keepdim=True)
    centred = own - column - column.transpose(1, 2) + whole
    scale = penalty * (centred.diagonal(dim1=1, dim2=2).mean(1) + 1e-8)
    shares = y.mean(1, keepdim=True)
    dual = torch.linalg.solve(centred + scale[:, None, None] * torch.eye(own.shape[1]), y - shares)
    return (asked - asked.mean(2, keepdim=True) - column + whole) @ dual + shares
