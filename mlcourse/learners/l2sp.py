"""L2-SP: fine-tune, but stay near the starting point.

Li, Grandvalet, Davoine: Explicit Inductive Bias for Transfer Learning with Convolutional Networks, ICML 2018,
equation 3.

    minimise over φ, from θ:   L(φ; support) + (α / 2) |φ_S - θ_S|² + (β / 2) |φ_new|²

S are the parameters that the source has, too. A new head has no counterpart there and nothing to stay near: it is drawn
to zero, as by weight decay. Where the head is the source's own, S is everything.
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

HEAD = "head."


class L2SP(JointTraining):
    """Trained as JointTraining is, then fine-tuned by `steps` steps of rate `lr` with the penalties of weights
    α = `anchor` and β = `shrink`. A step overshoots where lr · α or lr · β is above 1, and diverges above 2.

    shrink: None, where tasks share the head that was trained; a number, where each gets a new one, from zero.
    Works in regression too. Raises ValueError for a rate or a weight that is not positive and finite.
    """

    stacks = True

    def __init__(self, net: nn.Module, lr: float = 0.1, steps: int = 10, anchor: float = 0.1,
                 shrink: float | None = None):
        super().__init__(net, lr, steps)
        check_rate(anchor, "weight of the anchor")
        if shrink is not None:
            check_rate(shrink, "weight of the new head's penalty")
        self.anchor, self.shrink = anchor, shrink
        self.config = {"lr": lr, "steps": steps, "anchor": anchor, "shrink": shrink}

    def adapt(self, episode: Episode, steps: int | None = None) -> Adapted:
        """φ: gradient steps on the penalised support loss, from θ or from θ with a new head."""
        check_head(self, episode)
        return self.tuned(self.start(episode), episode, self.steps if steps is None else steps)

    def start(self, episode: Episode) -> Params:
        """θ, with zeros in the place of a head that is new."""
        theta = self.theta(episode.batch_shape)
        if self.shrink is None:
            return theta
        return {name: torch.zeros_like(p) if name.startswith(HEAD) else p for name, p in theta.items()}

    def tuned(self, phi: Params, episode: Episode, steps: int) -> Adapted:
        """The state after so many gradient steps on the penalised support loss from φ."""
        x, tasks = self.prepare(episode.support_x, episode), episode.batch_shape
        theta = self.theta(tasks)
        loss = lambda phi: (self.loss_at(phi, x, episode.support_y)
                            + penalty(phi, theta, self.anchor, len(tasks), self.shrink))
        return self.adapted(descend(loss, phi, steps, self.lr, order=self.order, stacked=bool(tasks)), episode)


def penalty(phi: Params, theta: Params, anchor: float, batched: int = 0, shrink: float | None = None) -> Tensor:
    """(α / 2) |φ - θ|² with α = `anchor`, summed over all parameters; batched: 1 where both have a leading task
    dimension, for (T,). shrink: β where the head is new: its parameters then count with (β / 2) |φ|², wherever they
    started."""
    square = lambda p: p.square().flatten(batched).sum(-1)
    new = [name for name in phi if name.startswith(HEAD)] if shrink is not None else []
    near = anchor / 2 * sum(square(phi[name] - theta[name]) for name in phi if name not in new)
    return near + shrink / 2 * sum(square(phi[name]) for name in new) if new else near


def fine_tuned(net: nn.Module, params: Params, x: Tensor, y: Tensor, steps: int, lr: float, anchor: float = 0.0,
               batch: int | None = None) -> Params:
    """φ of one task: gradient steps from `params` on labelled pictures x (M, *D), y (M,), under their own statistics.

    All parameters have a leading task dimension of 1, as `adapt` leaves them for a batch of one. anchor: α of L2-SP, on
    all parameters; 0 is plain fine-tuning. batch: of more pictures than that, each step takes as many, drawn by a fixed
    seed.
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
