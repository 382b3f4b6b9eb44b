"""Linear regression as episodes: the prompts of `mlcourse.context` for the methods that adapt, such as MAML."""

from __future__ import annotations

import torch

from mlcourse.context import LinearTasks, Prompt
from mlcourse.episode import Episode


def as_episodes(prompt: Prompt, shot: int) -> Episode:
    """A batch of episodes: the first `shot` pairs of each prompt are its support set, the others its queries; x is
    (T, K, d) and y (T, K, 1). Raises ValueError unless there are pairs for both."""
    x, y, k = prompt.x, prompt.y.unsqueeze(-1), shot
    check_shot(k, x.shape[1])
    return Episode(x[:, :k], y[:, :k], x[:, k:], y[:, k:], x[:, :0],
                   torch.zeros(len(x), 0, dtype=torch.int64), torch.zeros(len(x), dtype=torch.int64))


class LinearSampler:
    """Draws prompts of `tasks`, as episodes with `shot` pairs to adapt on; the same generator state gives the same
    prompts as `tasks.sample`. Raises ValueError unless 1 <= shot < `tasks.points`."""

    way = 0

    def __init__(self, tasks: LinearTasks, shot: int = 10):
        check_shot(shot, tasks.points)
        self.tasks, self.shot, self.query = tasks, shot, tasks.points - shot

    def sample(self, tasks: int, generator: torch.Generator) -> Episode:
        """A batch of episodes of random tasks."""
        return as_episodes(self.tasks.sample(tasks, generator), self.shot)


def check_shot(shot: int, points: int) -> None:
    """Raises ValueError unless a prompt has at least one point for the support set and one for the queries."""
    if not 1 <= shot < points:
        raise ValueError(f"a prompt of {points} points leaves 1 to {points - 1} for the support set, got {shot}")
