"""Reptile: move the initialisation towards the adapted weights.

Nichol, Achiam, Schulman: On First-Order Meta-Learning Algorithms, 2018, Algorithm 2.

    φ_i ← k steps of an inner optimiser on task i, from θ
    θ ← θ + ε · mean_i(φ_i - θ)

Written as a loss, ½ |θ - stop(φ_i)|², whose gradient is θ - φ_i: SGD with rate ε then does the outer step.
"""

from __future__ import annotations

import torch
from torch import Tensor

from mlcourse.engine.descend import check_rate, descend
from mlcourse.episode import Episode
from mlcourse.learner import check_head, require_grad
from mlcourse.learners.maml import MAML
from mlcourse.method import Method
from mlcourse.phases import Phase, check_counts, linear, over_episodes, trained_by


class Reptile(MAML):
    """Reptile with k = `steps` inner SGD steps of rate `lr`, each on the whole support set and query set of the task.

    In training the inner loop uses every labelled sample of the episode (Reptile needs no split); at test it adapts
    on the support set alone. k = 1 is joint training by SGD.
    Deviation from the paper: the inner optimiser is SGD on full batches, not Adam (β1 = 0) on mini-batches; either
    way its state is new for each task. The loss is a device for the outer step; never select a model by it.
    """

    order = 1
    stacks = True

    def loss(self, episode: Episode) -> Tensor:
        """½ |θ - stop(φ)|², summed over all parameters."""
        require_grad(self)
        check_head(self, episode)
        tasks = episode.batch_shape
        x, y = episode.samples()
        x, theta = self.prepare(x, episode), self.theta(tasks)
        phi = descend(lambda p: self.loss_at(p, x, y), theta, self.steps, self.lr, order=1, stacked=bool(tasks))
        squares = [(theta[name] - phi[name].detach()).square() for name in theta]
        return 0.5 * sum(s.flatten(len(tasks)).sum(-1) for s in squares)

    def phases(self, sampler, steps: int, *, tasks: int = 5, lr: float = 1.0) -> list[Phase]:
        """SGD with rate ε = `lr`, annealed to 0 along a line. Raises what `episodic_phase` raises."""
        check_counts(tasks=tasks)
        check_rate(lr, "outer learning rate")
        return [over_episodes(self, "meta-train", lambda generator: sampler.sample(tasks, generator),
                              lambda episode, step: self.loss(episode),
                              torch.optim.SGD(trained_by(self), lr=lr), steps, linear)]


METHOD = Method("reptile", Reptile, "move the initialisation towards adapted weights", "headed", {"lr": 0.5, "steps": 5},
                {"steps": 2000, "tasks": 5, "lr": 1.0}, train_query=2, test_steps=20,
                sinusoids=({"lr": 0.01, "steps": 8}, {"steps": 3000, "tasks": 5, "lr": 1.0}))
