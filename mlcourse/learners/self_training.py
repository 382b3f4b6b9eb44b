"""Self-training: the network's own sure predictions on the target as labels, beside the labels of the source.

Lee: Pseudo-Label: The Simple and Efficient Semi-Supervised Learning Method for Deep Neural Networks, ICML 2013 workshop,
equations 13 to 15, with the threshold of French, Mackiewicz, Fisher: Self-Ensembling for Visual Domain Adaptation, ICLR
2018, section 3.2.

    ŷ = argmax_k p_k(x),  sure where p_ŷ ≥ τ                        x a picture of the target, without label
    descend  L_y(source) + α mean_x [p_ŷ ≥ τ] (-log p_ŷ)
"""

from __future__ import annotations

import warnings

import torch
from torch import Tensor, nn

from mlcourse.engine.descend import check_rate
from mlcourse.episode import Episode
from mlcourse.learners.adabn import AdaBN
from mlcourse.method import Method
from mlcourse.nets import call, head
from mlcourse.phases import Phase, check_counts, cosine, over_episodes, trained_by


class SelfTraining(AdaBN):
    """Self-training with α = `weight` and τ = `threshold`, in (0, 1)."""

    stacks = True

    def __init__(self, net: nn.Module, threshold: float = 0.9, weight: float = 1.0):
        super().__init__(net)
        self.threshold, self.weight = threshold, weight
        self.config = {"threshold": threshold, "weight": weight}

    def loss(self, episode: Episode) -> Tensor:
        source, target = self.pair(episode)
        log_p = head(self.theta(episode.batch_shape), target).log_softmax(-1).amax(-1)
        sure = log_p.detach().exp() >= self.threshold
        return self.label_loss(source, episode) - self.weight * (sure * log_p).mean(-1)


METHOD = Method("self-training", SelfTraining, "its own sure predictions as labels", "headed", {},
                {"steps": 300, "tasks": 2, "lr": 1e-3}, across=True)
