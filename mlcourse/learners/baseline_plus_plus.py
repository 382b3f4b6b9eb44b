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

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.engine.descend import check_rate, descend
from mlcourse.episode import Episode
from mlcourse.learner import Adapted, check_classes
from mlcourse.learners.pretrained import Pretrained
from mlcourse.losses import task_loss
from mlcourse.method import Method
from mlcourse.nets import Params, features
from mlcourse.phases import check_counts

MANY = 200


class BaselinePlusPlus(Pretrained):
    """A classifier of cosines, fitted to each task on the features of a pretrained body, which no task changes.

    net, train_classes, seed: as in `Pretrained`; the seed is also that of the weights which every task starts from. lr,
    steps: of the fine-tuning.
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

    def adapt(self, episode: Episode, steps: int | None = None) -> Adapted:
        """v and g of N classes, after gradient steps on the support set."""
        check_classes(self, episode)
        z, stats = self.embedded(episode)
        start = {name: p.to(z) for name, p in drawn(self.net.size, episode.way, self.seed).items()}
        support_loss = lambda head: task_loss(cosines(head, z), episode.support_y)
        return Adapted(descend(support_loss, start, self.steps if steps is None else steps, self.lr, order=1), stats)

    def predict(self, state: Adapted, x: Tensor) -> Tensor:
        """s · g_c · cos(v_c, f_θ(x))."""
        return cosines(state.params, features(self.net, self.theta(), x, state.stats))


class Cosines(nn.Module):
    """The classifier of `cosines`, with `outputs` classes."""

    def __init__(self, size: int, outputs: int, seed: int):
        super().__init__()
        for name, p in drawn(size, outputs, seed).items():
            setattr(self, name, nn.Parameter(p))

    def forward(self, z: Tensor) -> Tensor:
        return cosines({"v": self.v, "g": self.g}, z)


def drawn(size: int, outputs: int, seed: int) -> Params:
    """v (outputs, size), uniform in ±1/√size as torch draws a linear layer, and g (outputs, 1), its norms."""
    v = torch.from_numpy(np.random.default_rng(seed).uniform(-1, 1, (outputs, size))).float() / size**0.5
    return {"v": v, "g": v.norm(dim=1, keepdim=True)}


def cosines(head: Params, z: Tensor) -> Tensor:
    """Logits s · g_c · cos(v_c, z) (M, N) of features z (M, D)."""
    scale = 10.0 if len(head["v"]) > MANY else 2.0
    return scale * F.normalize(z, dim=-1) @ (head["g"] * F.normalize(head["v"], dim=-1)).mT


METHOD = Method("baseline++", BaselinePlusPlus, "pretrain and fit a classifier of cosines", "headless", {"lr": 0.1},
                {"steps": 500, "tasks": 4, "lr": 1e-3}, train_way=32, train_query=1, baseline=True)
