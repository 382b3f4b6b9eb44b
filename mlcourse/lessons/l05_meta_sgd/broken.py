"""What the four broken updates of exercise 05.2 are tried on, and what torch says to them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

BETA = 0.01


class Meta(nn.Module):
    """θ and α of a model with three weights."""

    def __init__(self):
        super().__init__()
        self.theta = nn.Parameter(torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64))
        self.alpha = nn.Parameter(torch.tensor([0.1, -0.2, 0.3], dtype=torch.float64))


def inner_step(meta: nn.Module, support_loss: Callable[[Tensor], Tensor]) -> Tensor:
    """φ = θ - α ∘ ∇L(θ; S) of a module with the vectors theta and alpha: a new tensor, differentiable by both."""
    g, = torch.autograd.grad(support_loss(meta.theta), meta.theta, create_graph=True)
    return meta.theta - meta.alpha * g


def try_updates(*updates: Callable) -> None:
    """Run each update on a small task, and print the error that it raises."""
    for update in updates:
        meta = Meta()
        before = meta.theta.detach().clone()
        try:
            update(meta, lambda w: (w.sum() - 1) ** 2, lambda w: (w[0] - w[1]) ** 2, BETA)
        except (RuntimeError, TypeError) as error:
            moved = "" if torch.equal(meta.theta.detach(), before) else " (theta has moved already)"
            print(f"{update.__name__}: {type(error).__name__}: {str(error).splitlines()[0]}{moved}")
