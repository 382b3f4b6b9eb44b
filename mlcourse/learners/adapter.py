"""A meta-learned adapter: learn how to adapt to a domain without labels, from source domains that play the target.

The course's own, made of known parts: the rates of Meta-SGD (Li et al. 2017), the episodes of MLDG (Li et al. 2018:
support from one domain, queries from another), and unlabelled pictures of the queries' domain to adapt on, as in
adaptive risk minimisation (Zhang et al., NeurIPS 2021).

    φ = θ - α ∘ ∇ [L(θ; support of domain i) + w · CORAL(support of i, unlabelled of j)]       (`adapt`)
    descend L(φ; queries of domain j) in θ, α and w                                             (`loss`)
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from mlcourse.engine.descend import check_rate, descend
from mlcourse.episode import Episode
from mlcourse.learner import Adapted
from mlcourse.learners.adabn import AdaBN
from mlcourse.learners.meta_sgd import MetaSGD
from mlcourse.losses import task_loss
from mlcourse.losses.alignment import coral
from mlcourse.method import Method
from mlcourse.nets import Params, call, features, statistics


class Adapter(MetaSGD):
    """The adapter with `steps` inner steps, rates α that start in [low, high], and w that starts at `weight`. It is
    second order: in first order w would get no gradient.

    At test the support set is the source's and the unlabelled pictures are the target's. Queries are normalised by the
    statistics of the unlabelled pictures under φ. Raises ValueError as MetaSGD and AdaBN do.
    """

    stacks = True
    check = AdaBN.check
    is_transductive = AdaBN.is_transductive

    def __init__(self, net: nn.Module, low: float = 0.01, high: float = 0.1, weight: float = 10.0, steps: int = 1,
                 seed: int = 0):
        super().__init__(net, low, high, steps, seed=seed)
        check_rate(weight, "weight of the alignment")
        self.config = {"low": low, "high": high, "weight": weight, "steps": steps, "seed": seed}
        self.log_weight = nn.Parameter(torch.tensor(math.log(weight)))

    def inner_loss(self, phi: Params, episode: Episode) -> Tensor:
        """L(φ; support) + w CORAL(support, unlabelled), each domain under its own statistics."""
        label_loss = task_loss(call(self.net, phi, episode.support_x), episode.support_y)
        source, target = (features(self.net, phi, x) for x in (episode.support_x, episode.unlabeled_x))
        return label_loss + self.log_weight.exp() * coral(source, target)

    def adapt(self, episode: Episode, steps: int | None = None) -> Adapted:
        """φ after `steps` inner steps, and the target's statistics under φ."""
        self.check(episode)
        tasks = episode.batch_shape
        phi = descend(lambda p: self.inner_loss(p, episode), self.theta(tasks), self.steps if steps is None else steps,
                      self.rates(), order=self.order, stacked=bool(tasks))
        return Adapted(phi, statistics(self.net, phi, episode.unlabeled_x))


METHOD = Method("adapter", Adapter, "learn to adapt without labels", "headed", {},
                {"steps": 300, "tasks": 2, "lr": 1e-3}, across=True)
