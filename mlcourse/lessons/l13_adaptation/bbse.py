"""BBSE: the target's class shares from a classifier's answers, and what to do with them.

Lipton, Wang, Smola: Detecting and Correcting for Label Shift with Black Box Predictors, ICML 2018, section 4. Under
label shift alone, p(x|y) the same in both domains, a classifier confuses the classes in the target as it does in the
source:

    R_ij = P_src(ŷ = i, y = j)      r_i = P_tgt(ŷ = i)      w_j = q_j / p_j       R w = r
"""

from __future__ import annotations

import torch
from torch import Tensor

from mlcourse.domains import Domain
from mlcourse.episode import Episode
from mlcourse.episode.across import pixels


def confusion(said: Tensor, labels: Tensor, classes: int) -> Tensor:
    """R (N, N), float64, adding up to 1: how often class i is the answer and class j the label, from answers (M,) and
    labels (M,)."""
    pairs = torch.bincount(said * classes + labels, minlength=classes * classes)
    return pairs.double().view(classes, classes) / len(labels)


def shares(said: Tensor, classes: int) -> Tensor:
    """How often each class is among M answers or labels: (N,), float64, adding up to 1."""
    return torch.bincount(said, minlength=classes).double() / len(said)


def label_weights(joint: Tensor, r: Tensor) -> Tensor:
    """w (N,), not negative, with R w = r, from R (N, N) and r (N,); a solution in the sense of least squares where R is
    singular. Negative weights become 0, and the rest is scaled so that the shares w p add up to 1, p the column sums of
    R."""
    w = (torch.linalg.pinv(joint) @ r).clamp(min=0)
    return w / (w @ joint.sum(0))


class InShares:
    """Draws episodes with `count` labelled pictures of a source whose classes have shares q (N,), and as many
    unlabelled ones of a target: learning with importance weights, by drawing in their proportion."""

    def __init__(self, source: Domain, target: Domain, q: Tensor, count: int):
        self.source, self.target, self.count = source, target, count
        self.chances = (q / torch.bincount(source.labels, minlength=len(q)))[source.labels]

    def sample(self, tasks: int, generator: torch.Generator) -> Episode:
        """A batch of `tasks` episodes, without queries; the same generator state gives the same episodes."""
        ways = len(self.source.classes)
        rows = torch.multinomial(self.chances, tasks * self.count, replacement=True, generator=generator)
        others = torch.randint(len(self.target.images), (tasks * self.count,), generator=generator)
        split = lambda values: values.view(tasks, self.count, *values.shape[1:])
        x, y = split(pixels(self.source.images[rows])), split(self.source.labels[rows])
        return Episode(x, y, x[:, :0], y[:, :0], split(pixels(self.target.images[others])),
                       torch.arange(ways).expand(tasks, ways), torch.zeros(tasks, dtype=torch.int64))
