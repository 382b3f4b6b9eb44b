"""CORAL: train a classifier of the source whose features have the same covariance in both domains.

Sun, Saenko: Deep CORAL: Correlation Alignment for Deep Domain Adaptation, ECCV 2016 workshops, equation 6.

    L = L_class(source) + λ |C_src - C_tgt|²_F / (4 d²)
"""

from __future__ import annotations

from torch import Tensor, nn

from mlcourse.engine.descend import check_rate
from mlcourse.episode import Episode
from mlcourse.learners.adabn import AdaBN
from mlcourse.losses.alignment import coral
from mlcourse.method import Method


class CORAL(AdaBN):
    """Deep CORAL with λ = `weight`: source in the support set, target in the unlabelled pictures.

    Deviations from the paper: each domain is normalised by its own statistics, in training and at test; the features
    are those below the head, not the head's outputs.
    """

    stacks = True

    def __init__(self, net: nn.Module, weight: float = 10.0):
        super().__init__(net)
        check_rate(weight, "weight of the alignment")
        self.weight = weight
        self.config = {"weight": weight}

    def loss(self, episode: Episode) -> Tensor:
        """L_class + λ L_CORAL."""
        source, target = self.pair(episode)
        return self.label_loss(source, episode) + self.weight * coral(source, target)


METHOD = Method("coral", CORAL, "features of one covariance", "headed", {}, {"steps": 300, "tasks": 2, "lr": 1e-3},
                across=True)
