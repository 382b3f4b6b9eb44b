"""The training of models that learn in context: tasks drawn anew in each step, and a rate that warms up and anneals."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

LAST = 0.02         # the rate at the end, as a share


def rate(step: int, steps: int, warm_up: int) -> float:
    """The share of the rate at a step: up along a line over the first `warm_up` steps, then down half a cosine."""
    if step < warm_up:
        return (step + 1) / warm_up
    return LAST + (1 - LAST) * 0.5 * (1 + math.cos(math.pi * (step - warm_up) / (steps - warm_up)))


def train_in_context(model: nn.Module, loss: Callable[[torch.Generator, int], Tensor], steps: int, *, lr: float = 4e-3,
                     warm_up: int = 100, clip: float = 1.0, seed: int = 0) -> Iterator[float]:
    """Train a model in place by AdamW without decay on loss(generator, step), which draws its tasks itself. Yields the
    loss of each step.

    lr: the highest rate. warm_up: steps. clip: the largest norm of a gradient. Raises ValueError where a loss is not
    finite, before the weights change.
    """
    adam = torch.optim.AdamW(model.parameters(), lr=lr, betas=(0.9, 0.98), weight_decay=0.0, fused=True)
    generator = torch.Generator().manual_seed(seed)
    for step in range(steps):
        for group in adam.param_groups:
            group["lr"] = lr * rate(step, steps, warm_up)
        value = loss(generator, step)
        if not value.isfinite():
            raise ValueError(f"the loss is {value.item()} at step {step}; train with a lower rate than {lr}")
        adam.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(model.parameters(), clip)
        adam.step()
        yield value.item()
