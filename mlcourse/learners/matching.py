"""MatchingNet: classify by attention over the support samples.

Vinyals, Blundell, Lillicrap, Kavukcuoglu, Wierstra: Matching Networks for One Shot Learning, NeurIPS 2016, equation 1.

    a_j = softmax_j(s cos(f_θ(x), f_θ(x_j)))         over all N·K support samples x_j
    p(y = k | x) = sum of a_j over those of class k                                     (equation 1, `predict`)

The paper has no scale: s = 1. A cosine lies in [-1, 1], so that with N·K = 5 supports no a_j then exceeds
e²/(e² + 4) = 0.65, and the loss cannot come near 0. Chen et al. (A Closer Look at Few-shot Classification, ICLR 2019)
multiply by 100 in their code; here s is learned with θ. The paper's full-context embeddings, two LSTMs over the support
set, are left out.
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


class Supports(NamedTuple):
    """The embedded support samples at unit length (M, D), their one-hot labels (M, N), and the norm statistics to embed
    queries with."""

    z: Tensor
    one_hot: Tensor
    stats: tuple


class MatchingNet(ProtoNet):
    """Cosine attention over the support samples on `net.features`. There is no inner loop: `steps` is ignored.

    scale: where s starts, positive; it is learned as its logarithm.
    Raises ValueError for a start that is not positive and finite, and in regression.
    """

    stacks = True

    def __init__(self, net: nn.Module, scale: float = 10.0):
        super().__init__(net)
        check_rate(scale, "scale of the cosines")
        self.log_scale = nn.Parameter(torch.tensor(math.log(scale)))
        self.config = {"scale": scale}

    def embed(self, x: Tensor, stats: tuple = (), tasks: tuple = ()) -> Tensor:
        """f_θ(x) at unit length: (M, D), or (T, M, D) for tasks = (T,)."""
        return F.normalize(super().embed(x, stats, tasks), dim=-1)

    def adapt(self, episode: Episode, steps: int | None = None) -> Supports:
        """The support set, embedded: nothing is averaged."""
        check_classes(self, episode)
        tasks = episode.batch_shape
        stats = self.adapted(self.theta(tasks), episode).stats
        one_hot = F.one_hot(episode.support_y, episode.way).to(episode.support_x.dtype)
        return Supports(self.embed(episode.support_x, stats, tasks), one_hot, stats)

    def predict(self, state: Supports, x: Tensor) -> Tensor:
        """log p(y = k | x): (M, N). A class without a support sample has -inf."""
        cosines = self.embed(x, state.stats, state.z.shape[:-2]) @ state.z.mT
        return of_classes((self.log_scale.exp() * cosines).log_softmax(-1), state.one_hot)


def of_classes(log_a: Tensor, one_hot: Tensor) -> Tensor:
    """log of the attention on each class: (M, N) for the log attention (M, S) on S support samples with one-hot labels
    (S, N); a leading task dimension on both stays."""
    others = one_hot.mT.unsqueeze(-3) == 0
    return log_a.unsqueeze(-2).masked_fill(others, -torch.inf).logsumexp(-1)


METHOD = Method("matching", MatchingNet, "cosine attention over the support set", "headless", {},
                {"steps": 1000, "tasks": 1, "lr": 4e-3}, train_way=60, train_query=5)
