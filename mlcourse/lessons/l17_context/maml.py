"""MAML on prompts of linear regression: the rival whose weights move."""

from __future__ import annotations

import torch
from torch import Tensor

from mlcourse.context import LinearTasks, Prompt
from mlcourse.datasets.linear import as_episodes
from mlcourse.episode import Episode
from mlcourse.learners import MAML
from mlcourse.nets import MLP
from mlcourse.train import train

QUERIES = 10
INNER = {"lr": 0.01, "steps": 5}        # of 0.01, 0.03 and 0.1 the best with training seed 100
TRAINING = {"steps": 2000, "tasks": 25, "lr": 3e-3}


class AnyShot:
    """Draws episodes of prompts with 1 to `points` - 1 pairs to adapt on, as many in a whole batch, and QUERIES more.
    """

    way = 0

    def __init__(self, tasks: LinearTasks):
        self.tasks = tasks

    def sample(self, tasks: int, generator: torch.Generator) -> Episode:
        """A batch of episodes of random tasks."""
        shot = int(torch.randint(1, self.tasks.points, (), generator=generator))
        return as_episodes(self.tasks.sample(tasks, generator, points=shot + QUERIES), shot)


def trained(tasks: LinearTasks, seed: int = 0, steps: int = TRAINING["steps"]) -> MAML:
    """A network with two layers of 40 ReLU units, meta-trained on prompts; in eval mode."""
    learner = MAML(MLP((tasks.dims, 40, 40, 1), seed=seed), **INNER)
    phases = learner.phases(AnyShot(tasks), steps, tasks=TRAINING["tasks"], lr=TRAINING["lr"])
    train(learner, phases, seed=seed, progress=False)
    return learner.eval()


def by_pairs(learner: MAML, x: Tensor, y: Tensor) -> Tensor:
    """The prediction of every y_i from x_i after adapting to the i pairs before it, (B, n), for x (B, n, d) and
    y (B, n); the first by the network as it starts."""
    after = lambda i: learner.predictions(as_episodes(Prompt(x[:, :i + 1], y[:, :i + 1], x[:, 0]), i))[:, 0, 0]
    with torch.no_grad():
        return torch.stack([learner.net(x[:, 0]).squeeze(-1), *(after(i) for i in range(1, x.shape[1]))], 1)
