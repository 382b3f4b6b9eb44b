"""Two small pieces of AutoML: a learning rate that descends its own gradient, and a choice made differentiable."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from mlcourse.optimisers import Quadratics


def hypergradient_descent(f: Quadratics, theta: Tensor, rate: float, beta: float, steps: int) -> tuple[Tensor, Tensor]:
    """Gradient descent whose rate α is moved before every step down the gradient of the loss in it (Baydin, Cornish,
    Martínez Rubio, Schmidt, Wood: Online Learning Rate Adaptation with Hypergradient Descent, ICLR 2018, Algorithm 1):

        θ_t = θ_{t-1} - α g_{t-1}   hence   ∂f(θ_t)/∂α = -g_t·g_{t-1}            α ← α + β g_t·g_{t-1}

    theta (B, D): each function has a rate of its own, `rate` at first. Returns the losses (steps + 1, B) and the rates
    that were used (steps, B). β = 0 is plain descent.
    """
    losses, rates, before = [f(theta)], [], torch.zeros_like(theta)
    alpha = theta.new_full((len(theta), 1), rate)
    for _ in range(steps):
        g = f.gradient(theta)
        alpha = alpha + beta * (g * before).sum(-1, keepdim=True)
        theta, before = theta - alpha * g, g
        losses.append(f(theta))
        rates.append(alpha[:, 0])
    return torch.stack(losses), torch.stack(rates)


class MixedOperation(nn.Module):
    """The average of several operations o_k, weighted by a softmax of numbers α that are learned (Liu, Simonyan, Yang:
    DARTS: Differentiable Architecture Search, ICLR 2019, equation 2):

        ō(x) = Σ_k softmax(α)_k o_k(x)

    After the search the operation with the largest α alone is kept. operations: functions with outputs of one shape;
    those that are modules have weights of their own.
    """

    def __init__(self, operations: Sequence[Callable[[Tensor], Tensor]]):
        super().__init__()
        self.operations = tuple(operations)
        self.own = nn.ModuleList(each for each in operations if isinstance(each, nn.Module))
        self.alpha = nn.Parameter(torch.zeros(len(operations)))

    def forward(self, x: Tensor) -> Tensor:
        outputs = torch.stack([operation(x) for operation in self.operations], -1)
        return outputs @ self.alpha.softmax(-1)


def search(net: nn.Module, alpha: nn.Parameter, train: tuple[Tensor, Tensor], val: tuple[Tensor, Tensor], steps: int,
           lr: float = 0.05) -> Tensor:
    """DARTS in first order (ξ = 0): in turn a step of Adam for α down the squared error on `val`, and one for all other
    weights of `net` down that on `train`. Moves both; returns softmax(α) after each step, (steps, K)."""
    weights = [p for p in net.parameters() if p is not alpha]
    both = (torch.optim.Adam([alpha], lr=lr), *val), (torch.optim.Adam(weights, lr=lr), *train)
    shares = []
    for _ in range(steps):
        for adam, x, y in both:
            adam.zero_grad()
            (net(x) - y).square().mean().backward()
            adam.step()
        shares.append(alpha.detach().softmax(-1))
    return torch.stack(shares)
