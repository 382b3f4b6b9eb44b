"""What the methods around a pretrained body share: one classifier of all training classes at once."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.episode import Episode
from mlcourse.learner import NetLearner, check_classes, require_grad
from mlcourse.nets import Params, features
from mlcourse.nets.wrap import linear
from mlcourse.phases import Phase

PRETRAINING = {"steps": 2000, "tasks": 1, "lr": 4e-3}       # of the records, so that the methods share one body


class Pretrained(NetLearner):
    """A body that is trained with one classifier of all training classes; what a task makes of it, a subclass says.

    net: a network without a head (way=0). train_classes: the number of classes that pretraining tells apart; the
    episode's `classes` say which ones it holds. 0: the network comes pretrained, and there is no such training. seed:
    of the classifier's initial weights.
    Raises ValueError for a negative number of classes.
    """

    needs = ("size",)

    def __init__(self, net: nn.Module, train_classes: int = 0, seed: int = 0):
        super().__init__(net)
        if train_classes < 0:
            raise ValueError(f"the number of training classes must not be negative, got {train_classes}")
        self.classifier = self.new_classifier(train_classes, seed) if train_classes else None
        self.train_classes = train_classes

    def new_classifier(self, outputs: int, seed: int) -> nn.Module:
        """An untrained classifier of features, (M, size) -> (M, outputs)."""
        return linear(self.net.size, outputs, seed)

    def loss(self, episode: Episode) -> Tensor:
        """Cross-entropy over all training classes, on support and query samples alike.

        Raises ValueError for a learner without training classes, and in regression."""
        require_grad(self)
        check_classes(self, episode)
        self._check_pretrains()
        x = torch.cat([episode.support_x, episode.query_x])
        y = episode.classes[torch.cat([episode.support_y, episode.query_y])]
        return F.cross_entropy(self.classifier(features(self.net, self.theta(), x)), y)

    def phases(self, sampler, steps: int, **settings) -> list[Phase]:
        """Pretraining: as in `Learner.phases`. Raises ValueError for a learner without training classes, or a domain of
        more than `train_classes`."""
        self._check_pretrains()
        domain, outputs = getattr(sampler, "domain", None), self.train_classes
        if domain is not None and len(domain.classes) > outputs:
            raise ValueError(f"{domain.name} has {len(domain.classes)} classes, but the classifier tells {outputs} "
                             f"apart; make the learner with train_classes={len(domain.classes)}")
        return super().phases(sampler, steps, **settings)

    def _check_pretrains(self) -> None:
        if self.classifier is None:
            raise ValueError(f"this {type(self).__name__} was made without training classes, so it has nothing to "
                             "train; adapt and predict with it as it is, or make it with train_classes=N")

    def predicting(self, episode: Episode) -> Params:
        """θ: pretraining predicts without adapting."""
        return self.theta()

    def embedded(self, episode: Episode) -> tuple[Tensor, tuple]:
        """Features (M, size) of the support set, and the norm statistics to embed queries with."""
        stats = self.adapted(self.theta(), episode).stats
        return features(self.net, self.theta(), episode.support_x, stats), stats


class LinearHead(NamedTuple):
    """The state of a linear head: weight (D, N), bias (N,), and the norm statistics of the body."""

    weight: Tensor
    bias: Tensor
    stats: tuple
