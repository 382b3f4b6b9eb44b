"""LP-FT: a linear probe first, then fine-tuning of everything from there.

Kumar, Raghunathan, Jones, Ma, Liang: Fine-Tuning can Distort Pretrained Features and Underperform Out-of-Distribution,
ICLR 2022.

    w ← descend L(θ, w; support) in the head w alone, from zero                         (linear probe)
    φ, w ← descend L(φ, w; support) in everything, from θ and that w                    (fine-tuning)

The paper's reason: as long as a head that began at random is wrong, its errors are what moves the features. Deviation:
its probe is trained to convergence, here for a number of steps.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import nn

from mlcourse.engine.descend import check_rate, descend
from mlcourse.episode import Episode
from mlcourse.learner import Adapted
from mlcourse.learners.baselines import FineTune
from mlcourse.learners.pretrained import PRETRAINING
from mlcourse.losses import task_loss
from mlcourse.method import Method
from mlcourse.nets import Params, features
from mlcourse.phases import check_counts


class LPFT(FineTune):
    """Pretrained and fine-tuned as FineTune is, after `probe_steps` steps of rate `probe_lr` of the new head alone.

    `adapt` with 0 steps leaves the probe out, too. Raises ValueError as FineTune does, also for the probe's rate and
    steps.
    """

    def __init__(self, net: nn.Module, train_classes: int = 0, lr: float = 0.1, steps: int = 10, probe_lr: float = 0.1,
                 probe_steps: int = 100, seed: int = 0):
        super().__init__(net, train_classes, lr, steps, seed)
        check_rate(probe_lr, "probe's learning rate")
        check_counts(probe_steps=probe_steps)
        self.probe_lr, self.probe_steps = probe_lr, probe_steps
        self.config = {**self.config, "probe_lr": probe_lr, "probe_steps": probe_steps}

    def adapt(self, episode: Episode, steps: int | None = None) -> Adapted:
        """The body and a new head of N outputs, after the probe and the steps on the support set."""
        return super().adapt(episode, steps) if steps != 0 else self.tuned(super().start(episode), episode, 0)

    def start(self, episode: Episode) -> Params:
        """The body, where it is not frozen, and the new head after the probe; the features are computed once."""
        phi = super().start(episode)
        z = features(self.net, self.body(phi), episode.support_x, self.fixed_stats()).detach()
        head = {name: p for name, p in phi.items() if name.startswith("new.")}
        support_loss = lambda w: task_loss(F.linear(z, w["new.weight"], w["new.bias"]), episode.support_y)
        return {**phi, **descend(support_loss, head, self.probe_steps, self.probe_lr, order=1)}


METHOD = Method("lp-ft", LPFT, "pretrain, fit a linear head, then fine-tune everything", "headless", {}, PRETRAINING,
                train_way=32, train_query=1, baseline=True)
