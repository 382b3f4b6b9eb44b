"""Six dials: one inner step from a learner's θ with a rate for each tensor, whatever rate it was trained with."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.func import vmap

from mlcourse.datasets.sinusoid import SinusoidSampler
from mlcourse.learner import NetLearner
from mlcourse.lessons.l05_meta_sgd.signs import support_gradients
from mlcourse.losses import task_loss
from mlcourse.nets import call

TENSORS = ("W₁", "b₁", "W₂", "b₂", "W₃", "b₃")


def dials(learner: NetLearner, tasks: int, seed: int, shot: int = 10) -> Callable[[Mapping[str, float]], Tensor]:
    """The mean squared errors (tasks,) of new sinusoid tasks after one step on `shot` points from the learner's θ, as a
    function of six rates, one for each of TENSORS. The network has two hidden layers, such as `MLP()`."""
    episodes = SinusoidSampler(shot, 50).sample(tasks, torch.Generator().manual_seed(seed))
    theta = {name: p.detach() for name, p in learner.theta().items()}
    g = support_gradients(learner.net, theta, episodes)

    def errors(rates: Mapping[str, float]) -> Tensor:
        phi = {name: theta[name] - rates[tensor] * g[name] for tensor, name in zip(TENSORS, theta, strict=True)}
        loss = lambda params, x, y: task_loss(call(learner.net, params, x), y)
        return vmap(loss)(phi, episodes.query_x, episodes.query_y).detach()

    return errors
