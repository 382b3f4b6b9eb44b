"""ProtoNet: classify by the distance to class means in a learned space.

Snell, Swersky, Zemel: Prototypical Networks for Few-shot Learning, NeurIPS 2017, equations 1 and 2.

    c_k = mean of f_θ(x_i) over the support samples of class k                         (equation 1, `adapt`)
    p(y = k | x) = softmax_k(-|f_θ(x) - c_k|²)                                          (equation 2, `predict`)
"""

from __future__ import annotations

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.episode import Episode
from mlcourse.learner import NetLearner, check_classes
from mlcourse.method import Method
from mlcourse.nets import Params, features, norm_of


class Prototypes(NamedTuple):
    """The class means (N, D), and the norm statistics to embed queries with."""

    means: Tensor
    stats: tuple


class ProtoNet(NetLearner):
    """ProtoNet over `net.features`. There is no inner loop: `steps` is ignored.

    With norm="batch" support and query are each normalised by their own statistics.
    Raises ValueError in regression, which has no classes to take the means of.
    """

    stacks = True
    compares = True

    def __init__(self, net: nn.Module):
        super().__init__(net)
        if norm_of(net) == "layer":     # no task has weights of its own: vmap's one convolution for all is faster
            self.stacks = False

    def embed(self, x: Tensor, stats: tuple = (), tasks: tuple = ()) -> Tensor:
        """f_θ(x): (M, D), or (T, M, D) for tasks = (T,)."""
        return features(self.net, self.theta(tasks), x, stats or None)

    def adapt(self, episode: Episode, steps: int | None = None) -> Prototypes:
        """The prototypes c_k."""
        z, one_hot, stats = self.labelled(episode)
        return Prototypes(class_means(z, one_hot), stats)

    def labelled(self, episode: Episode) -> tuple[Tensor, Tensor, tuple]:
        """The embedded support samples (M, D), their one-hot labels (M, N), and the norm statistics to embed others
        with."""
        check_classes(self, episode)
        tasks = episode.batch_shape
        stats = self.adapted(self.theta(tasks), episode).stats
        one_hot = F.one_hot(episode.support_y, episode.way).to(episode.support_x.dtype)
        return self.embed(episode.support_x, stats, tasks), one_hot, stats

    def predicting(self, episode: Episode) -> Params:
        """θ: the network does not adapt."""
        return self.theta(episode.batch_shape)

    def predict(self, state: Prototypes, x: Tensor) -> Tensor:
        """-|f_θ(x) - c_k|²: the softmax of these is the class probability."""
        return -squared_distances(self.embed(x, state.stats, state.means.shape[:-2]), state.means)


def class_means(z: Tensor, one_hot: Tensor) -> Tensor:
    """The mean of the samples (M, D) of each class (N, D), by their one-hot labels (M, N); a leading task dimension on
    both stays."""
    return (one_hot.mT @ z) / one_hot.sum(-2).unsqueeze(-1)


def squared_distances(a: Tensor, b: Tensor) -> Tensor:
    """|a_i - b_j|², shape (A, B), for a (A, D) and b (B, D); a leading task dimension on both stays."""
    return (a * a).sum(-1).unsqueeze(-1) - 2 * a @ b.mT + (b * b).sum(-1).unsqueeze(-2)


METHOD = Method("protonet", ProtoNet, "distances to class means", "headless", {},
                {"steps": 1000, "tasks": 1, "lr": 4e-3}, train_way=60, train_query=5,
                one_shot_runs={"steps": 5500, "tasks": 1, "lr": 4e-3})
