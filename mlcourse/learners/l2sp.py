"""L2-SP: fine-tune, but stay near the starting point.

Li, Grandvalet, Davoine: Explicit Inductive Bias for Transfer Learning with Convolutional Networks, ICML 2018,
equation 3, with one weight for all parameters.

    minimise over φ, from θ:   L(φ; support) + (β / 2) |φ - θ|²
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mlcourse.engine.descend import check_rate, descend
from mlcourse.episode import Episode
from mlcourse.learner import Adapted, check_head
from mlcourse.learners.baselines import JointTraining
from mlcourse.losses import task_loss
from mlcourse.method import SINUSOIDS, Method
from mlcourse.nets import Params, call, prepare


class L2SP(JointTraining):
    """Trained as JointTraining is, then fine-tuned by `steps` steps of rate `lr` with the penalty of weight β = `anchor`.

    Works in regression too. Raises ValueError for a rate or an anchor that is not positive and finite.
    """

    stacks = True

    def __init__(self, net: nn.Module, lr: float = 0.1, steps: int = 10, anchor: float = 0.1):
        super().__init__(net, lr, steps)
        check_rate(anchor, "weight of the anchor")
        self.anchor = anchor
        self.config = {"lr": lr, "steps": steps, "anchor": anchor}

    def adapt(self, episode: Episode, steps: int | None = None) -> Adapted:
        """φ: gradient steps on the anchored support loss from θ."""
        check_head(self, episode)
        x, tasks = self.prepare(episode.support_x, episode), episode.batch_shape
        theta = self.theta(tasks)
        support_loss = lambda phi: (self.loss_at(phi, x, episode.support_y)
                                    + penalty(phi, theta, self.anchor, len(tasks)))
        steps = self.steps if steps is None else steps
        return self.adapted(descend(support_loss, theta, steps, self.lr, order=self.order, stacked=bool(tasks)), episode)


def penalty(phi: Params, theta: Params, anchor: float, batched: int = 0) -> Tensor:
    """(anchor / 2) |φ - θ|² summed over all parameters; batched: 1 where both have a leading task dimension, for (T,)."""
    return anchor / 2 * sum((phi[name] - theta[name]).square().flatten(batched).sum(-1) for name in phi)


def fine_tuned(net: nn.Module, params: Params, x: Tensor, y: Tensor, steps: int, lr: float, anchor: float = 0.0,
               batch: int | None = None) -> Params:
    """φ of one task: gradient steps from `params` on labelled pictures x (M, *D), y (M,), under their own statistics.

    All parameters have a leading task dimension of 1, as `adapt` leaves them for a batch of one. anchor: β of L2-SP; 0 is
    plain fine-tuning. batch: of more pictures than that, each step takes as many, drawn by a fixed seed.
    (With statistics that are held instead, the network is no longer indifferent to the scale of its weights, and rates
    ten times smaller diverge.)
    """
    start = {name: p.detach() for name, p in params.items()}
    generator, phi = torch.Generator().manual_seed(0), start
    every = (prepare(net, x[None]), y[None]) if batch is None or len(x) <= batch else None
    for _ in range(steps):
        some = None if every else torch.randperm(len(x), generator=generator)[:batch]
        xs, ys = every or (x[some][None], y[some][None])
        loss = lambda p, xs=xs, ys=ys: task_loss(call(net, p, xs), ys) + penalty(p, start, anchor, 1)
        phi = descend(loss, phi, 1, lr, order=1, stacked=True)
    return phi


METHOD = Method("l2sp", L2SP, "fine-tuning that stays near its start", "headed", {"lr": 0.1, "steps": 10},
                {"steps": 500, "tasks": 16, "lr": 1e-3}, sinusoids=SINUSOIDS, baseline=True)
