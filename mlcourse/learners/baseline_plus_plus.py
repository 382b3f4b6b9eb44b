"""Baseline++: pretrain with a classifier of cosines, then fit a new one on frozen features.

Chen, Liu, Kira, Wang, Huang: A Closer Look at Few-shot Classification, ICLR 2019.

    logit_c(z) = s · g_c · cos(v_c, z)          s = 2, or 10 for more than 200 classes              (`cosines`)
    θ, v, g ← minimise the cross-entropy of all training classes, z = f_θ(x)                        (`loss`)
    v, g ← `steps` gradient steps on the support loss, from small random weights, θ frozen          (`adapt`)

s and g_c, a norm of each class that is learned, are those of the authors' code. It fine-tunes for 100 epochs of batches
of four samples in random order, by SGD of rate 0.01 with momentum and dampening 0.9 and a weight decay of 0.001, from
new weights for every task. Here each of 100 steps takes the whole support set, by plain gradient descent, and every
task starts from the same weights: what `adapt` makes of a support set depends on nothing else.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.engine.descend import check_rate, descend
from mlcourse.episode import Episode
from mlcourse.learner import check_classes
from mlcourse.learners.pretrained import PRETRAINING, Pretrained
from mlcourse.losses import task_loss
from mlcourse.method import Method
from mlcourse.nets import features
from mlcourse.phases import check_counts

MANY = 200


class CosineHead(NamedTuple):
    """The state: v (N, D), g (N, 1), and the norm statistics of the body."""

    v: Tensor
    g: Tensor
    stats: tuple


class BaselinePlusPlus(Pretrained):
    """A classifier of cosines, fitted to each task on the features of a pretrained body, which no task changes.

    net, train_classes, seed: as in `Pretrained`; the seed is also that of the weights which every task starts from. lr,
    steps: of the fine-tuning; at rates of 0.5 and more the first steps overshoot, and rounding decides where they end.
    Raises ValueError in regression.
    """

    def __init__(self, net: nn.Module, train_classes: int = 0, lr: float = 0.1, steps: int = 100, seed: int = 0):
        super().__init__(net, train_classes, seed)
        check_rate(lr, "inner learning rate")
        check_counts(steps=steps)
        self.lr, self.steps, self.seed = lr, steps, seed
        self.config = {"train_classes": train_classes, "lr": lr, "steps": steps, "seed": seed}

    def new_classifier(self, outputs: int, seed: int) -> nn.Module:
        """An untrained classifier of cosines."""
        return Cosines(self.net.size, outputs, seed)

    def adapt(self, episode: Episode, steps: int | None = None) -> CosineHead:
        """v and g of N classes, after gradient steps on the support set."""
        check_classes(self, episode)
        z, stats = self.embedded(episode)
        v, g = drawn(self.net.size, episode.way, self.seed)
        head = descend(lambda head: task_loss(cosines(**head, z=z), episode.support_y), {"v": v.to(z), "g": g.to(z)},
                       self.steps if steps is None else steps, self.lr, order=1)
        return CosineHead(**head, stats=stats)

    def predict(self, state: CosineHead, x: Tensor) -> Tensor:
        """s · g_c · cos(v_c, f_θ(x))."""
        return cosines(state.v, state.g, features(self.net, self.theta(), x, state.stats))


class Cosines(nn.Module):
    """The classifier of `cosines`, with `outputs` classes."""

    def __init__(self, size: int, outputs: int, seed: int):
        super().__init__()
        self.v, self.g = map(nn.Parameter, drawn(size, outputs, seed))

    def forward(self, z: Tensor) -> Tensor:
        return cosines(self.v, self.g, z)


def drawn(size: int, outputs: int, seed: int) -> tuple[Tensor, Tensor]:
    """v (outputs, size), uniform in ±1/√size as torch draws a linear layer, and g (outputs, 1), its norms."""
    v = torch.from_numpy(np.random.default_rng(seed).uniform(-1, 1, (outputs, size))).float() / size**0.5
    return v, v.norm(dim=1, keepdim=True)


def cosines(v: Tensor, g: Tensor, z: Tensor) -> Tensor:
    """Logits s · g_c · cos(v_c, z) (M, N) of features z (M, D)."""
    scale = 10.0 if len(v) > MANY else 2.0
    return scale * F.normalize(z, dim=-1) @ (g * F.normalize(v, dim=-1)).mT


METHOD = Method("baseline++", BaselinePlusPlus, "pretrain and fit a classifier of cosines", "headless", {},
                PRETRAINING, train_way=32, train_query=1, baseline=True)
