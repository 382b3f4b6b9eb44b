"""How the Transformers of lesson 17 are trained on prompts of linear regression."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from mlcourse.context import InContext, LinearTasks, prefix_loss, train_in_context


@dataclass(frozen=True)
class Setting:
    """dims, points, noise: of the prompts. layers, width, heads: of the Transformer. steps, batch, lr: of its
    training."""

    dims: int = 5
    points: int = 11
    noise: float = 0.5
    layers: int = 6
    width: int = 64
    heads: int = 4
    steps: int = 12_600
    batch: int = 64
    lr: float = 4e-3

    def tasks(self, pool: Tensor | None = None) -> LinearTasks:
        """The prompts; pool: weights (M, d) of the only tasks."""
        return LinearTasks(self.dims, self.points, self.noise, pool=pool)

    def model(self, seed: int = 0) -> InContext:
        """The untrained Transformer."""
        return InContext(self.dims, layers=self.layers, width=self.width, heads=self.heads, seed=seed)


LONG = Setting()                                                            # the checkpoint: d = 5
LIVE = Setting(layers=4, steps=1600, lr=5e-3)                               # about 20 s on a core of its own
LINE = Setting(dims=1, layers=4, width=32, steps=3000, lr=5e-3)             # the prompt player's: d = 1


def learn(setting: Setting, model: InContext, seed: int = 0, *, pool: Tensor | None = None) -> Iterator[float]:
    """Train a model in place on prompts drawn anew in each step; yields the loss of each."""
    tasks = setting.tasks(pool)

    def loss(generator: torch.Generator, step: int) -> Tensor:
        prompt = tasks.sample(setting.batch, generator)
        return prefix_loss(model(prompt.x, prompt.y), prompt.y)

    return train_in_context(model, loss, setting.steps, lr=setting.lr, seed=seed)
