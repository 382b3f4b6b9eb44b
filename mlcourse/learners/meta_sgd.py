"""Meta-SGD: learn the initialisation, the direction and the rate of the inner step.

Li, Zhou, Chen, Li: Meta-SGD: Learning to Learn Quickly for Few-Shot Learning, 2017, equation 2 and Algorithm 1.

    φ = θ - α ∘ ∇L_support(θ),      α of the shape of θ, learned together with it, any sign
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mlcourse.engine.descend import descend
from mlcourse.episode import Episode
from mlcourse.learner import Adapted, NetLearner, check_adaptable, check_head
from mlcourse.method import Method
from mlcourse.nets import Params, trainable
from mlcourse.phases import check_counts


class MetaSGD(NetLearner):
    """Meta-SGD: one rate for each weight, drawn from U[`low`, `high`] at the start with `seed`, never clamped.

    steps: inner steps; the paper takes 1. order=1 drops second derivatives of the support loss and still trains α.
    Raises ValueError unless 0 < low <= high < infinity, or for fewer than 1 step.
    """

    adapts = True
    stacks = True

    def __init__(self, net: nn.Module, low: float = 0.005, high: float = 0.1, steps: int = 1, order: int = 2,
                 seed: int = 0):
        super().__init__(net)
        check_adaptable(self)
        if not 0 < low <= high < float("inf"):
            raise ValueError(f"the rates start in [low, high] with 0 < low <= high, got [{low}, {high}]")
        check_counts(steps=steps)
        self.steps, self.order = steps, order
        self.config = {"low": low, "high": high, "steps": steps, "order": order, "seed": seed}
        generator = torch.Generator().manual_seed(seed)
        draw = lambda p: low + (high - low) * torch.rand(p.shape, generator=generator)
        # "." may not stand in a parameter's name
        self.alpha = nn.ParameterDict({name.replace(".", "/"): nn.Parameter(draw(p).to(p))
                                       for name, p in trainable(net).items()})

    @property
    def exact_gradient(self) -> bool:
        """True in second order."""
        return self.order == 2

    def rates(self) -> Params:
        """α by the name of the parameter that it belongs to."""
        return {name.replace("/", "."): alpha for name, alpha in self.alpha.items()}

    def negative_rates(self) -> Tensor:
        """The fraction of rates below zero, a scalar in [0, 1]."""
        return torch.cat([(alpha < 0).flatten() for alpha in self.alpha.values()]).float().mean()

    def adapt(self, episode: Episode, steps: int | None = None) -> Adapted:
        """φ: `steps` steps of θ - α ∘ ∇L_support."""
        check_head(self, episode)
        x, tasks = self.prepare(episode.support_x, episode), episode.batch_shape
        support_loss = lambda phi: self.loss_at(phi, x, episode.support_y)
        phi = descend(support_loss, self.theta(tasks), self.steps if steps is None else steps, self.rates(),
                      order=self.order, stacked=bool(tasks))
        return self.adapted(phi, episode)


METHOD = Method("meta-sgd", MetaSGD, "learn a rate for every weight too", "headed", {"low": 0.5, "high": 1.0},
                {"steps": 4000, "tasks": 8, "lr": 4e-3}, train_query=2, test_steps=1,
                sinusoids=({"low": 0.005, "high": 0.02}, {"steps": 3000, "tasks": 25, "lr": 3e-3}))
