"""ProtoNet: classify by the distance to class means in a learned space.

Snell, Swersky, Zemel: Prototypical Networks for Few-shot Learning, NeurIPS 2017, equations 1 and 2.

    c_k = mean of f_θ(x_i) over the support samples of class k                         (equation 1, `adapt`)
    p(y = k | x) = softmax_k(-|f_θ(x) - c_k|²)                                          (equation 2, `predict`)

An episode with one support sample and Q queries of each class holds (Q + 1) Q episodes with one of each: every set of
one sample of each class may be the support set, and every other one the queries. `loss_in_turn` is their mean, for the
price of one episode's embeddings.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.episode import Episode
from mlcourse.learner import NetLearner, check_classes, require_grad
from mlcourse.method import Method
from mlcourse.nets import Params, features, norm_of
from mlcourse.nets.stacking import untouched
from mlcourse.phases import Phase, episodic_phase


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

    def phases(self, sampler, steps: int, *, tasks: int = 32, lr: float = 1e-3, in_turn: bool = False) -> list[Phase]:
        """One phase of Adam, as in every learner. in_turn: on `loss_in_turn`, but not with norm="support", under which
        a query is embedded anew for every support set. Raises ValueError for in_turn in a method that loses, adapts or
        predicts in a way of its own."""
        if in_turn and not untouched(self, ProtoNet, "loss", "adapt", "predict"):
            raise ValueError(f"in_turn trains by ProtoNet's loss, and {type(self).__name__} has one of its own; leave "
                             "it out")
        one = self.loss_in_turn if in_turn and norm_of(self.net) != "support" else self.loss
        return [episodic_phase(self, sampler, steps, tasks=tasks, lr=lr, one=one)]

    def loss_in_turn(self, episode: Episode) -> Tensor:
        """The mean 1-shot loss over all ordered pairs of sets of one sample of each class, of which one is the support
        set and one the queries. A batch norm normalises each set by itself.

        Not a number where a class has more samples than another. Raises ValueError for samples that cannot be equally
        many of each class, 2 or more.
        """
        require_grad(self)
        check_classes(self, episode)
        x, y = episode.samples()
        ways, tasks = episode.way, episode.batch_shape
        sets, rest = divmod(y.shape[-1], ways)
        if sets < 2 or rest:
            raise ValueError("to take samples in turn, an episode needs equally many of each class, 2 or more; got "
                             f"{y.shape[-1]} of {ways} classes")
        order = y.argsort(dim=-1, stable=True).unflatten(-1, (ways, sets)).mT
        pick = lambda s: x[s] if not tasks else x[torch.arange(len(x), device=x.device).unsqueeze(1), s]
        z = torch.cat([self.embed(pick(order[..., i, :]), tasks=tasks) for i in range(sets)], -2)
        logits = -squared_distances(z, z).unflatten(-1, (sets, ways)).unflatten(-3, (sets, ways))
        right = logits.log_softmax(-1).diagonal(dim1=-3, dim2=-1)       # (…, query set, support set, N)
        others = ~torch.eye(sets, dtype=torch.bool, device=z.device)
        fits = (F.one_hot(y, ways).sum(-2) == sets).all(-1)
        return torch.where(fits, -right[..., others, :].mean((-2, -1)), torch.nan)

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
                one_shot_runs={"steps": 5500, "tasks": 1, "lr": 4e-3, "in_turn": True})
