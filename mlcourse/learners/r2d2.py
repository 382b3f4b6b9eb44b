"""R2D2: a ridge regression on learned features, in closed form, and differentiated through.

Bertinetto, Henriques, Torr, Vedaldi: Meta-learning with Differentiable Closed-form Solvers, ICLR 2019.

    W = Xᵀ(XXᵀ + λI)⁻¹ Y          X the features f_θ(x) of the N·K supports, Y their one-hot labels    (`adapt`)
    logits = α f_θ(x) W            λ and α are learned with θ                                          (`predict`)

The equation is the ridge regression (XᵀX + λI)⁻¹XᵀY by Woodbury's identity: the system has N·K rows instead of the D of
the features. The paper's logits end in + β, one number for all classes. It is left out: no softmax depends on it, so
that it changes no prediction and gets no gradient. The authors' code adds a column of ones to X and divides X and Y by
√(N·K).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.engine.descend import check_rate
from mlcourse.episode import Episode
from mlcourse.learner import check_classes
from mlcourse.learners.protonet import ProtoNet
from mlcourse.method import Method


class RidgeHead(NamedTuple):
    """W (D, N), and the norm statistics to embed queries with."""

    weight: Tensor
    stats: tuple


class R2D2(ProtoNet):
    """A ridge regression over `net.features`, embedded as ProtoNet does. There is no inner loop: `steps` is ignored.

    penalty, scale: where λ and α start, both positive; they are learned as their logarithms. Of a frozen network they
    are all that is trained.
    Raises ValueError for a start that is not positive and finite, and in regression.
    """

    stacks = True

    def __init__(self, net: nn.Module, penalty: float = 1.0, scale: float = 10.0):
        super().__init__(net)
        check_rate(penalty, "ridge penalty")
        check_rate(scale, "scale of the logits")
        self.log_penalty = nn.Parameter(torch.tensor(math.log(penalty)))
        self.log_scale = nn.Parameter(torch.tensor(math.log(scale)))
        self.config = {"penalty": penalty, "scale": scale}

    def adapt(self, episode: Episode, steps: int | None = None) -> RidgeHead:
        """W = Xᵀ(XXᵀ + λI)⁻¹ Y."""
        check_classes(self, episode)
        tasks = episode.batch_shape
        stats = self.adapted(self.theta(tasks), episode).stats
        x = self.embed(episode.support_x, stats, tasks)
        y = F.one_hot(episode.support_y, episode.way).to(x.dtype)
        return RidgeHead(ridge(x, y, self.log_penalty.exp()), stats)

    def predict(self, state: RidgeHead, x: Tensor) -> Tensor:
        """α f_θ(x) W."""
        return self.log_scale.exp() * self.embed(x, state.stats, state.weight.shape[:-2]) @ state.weight


def ridge(x: Tensor, y: Tensor, penalty: Tensor) -> Tensor:
    """W (…, D, N) of features x (…, M, D) and one-hot labels y (…, M, N)."""
    return x.mT @ torch.linalg.solve(x @ x.mT + penalty * torch.eye(x.shape[-2]).to(x), y)


METHOD = Method("r2d2", R2D2, "a ridge regression in closed form", "headless", {"penalty": 100.0},
                {"steps": 600, "tasks": 1, "lr": 5e-3}, train_way=30, train_query=5)
