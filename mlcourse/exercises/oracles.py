"""Small float64 problems and slow, independent answers to them, for the checks of gradient exercises."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mlcourse.episode import Episode

Params = dict[str, Tensor]


def small_params(seed: int, hidden: int = 4) -> Params:
    """Leaf parameters of `forward`: a tanh network 1-hidden-1 with 3·hidden + 1 numbers."""
    generator = torch.Generator().manual_seed(seed)
    shapes = {"hidden.weight": (1, hidden), "hidden.bias": (hidden,), "out.weight": (hidden, 1), "out.bias": (1,)}
    return {name: torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()
            for name, shape in shapes.items()}


def forward(params: Params, x: Tensor) -> Tensor:
    """The network of `small_params`: x (K, 1) to predictions (K, 1)."""
    hidden = torch.tanh(x @ params["hidden.weight"] + params["hidden.bias"])
    return hidden @ params["out.weight"] + params["out.bias"]


def sine_episode(seed: int, support: int = 5, query: int = 8) -> Episode:
    """One float64 regression episode on a sine, without a task dimension: x and y (K, 1)."""
    generator = torch.Generator().manual_seed(seed)
    amplitude, phase = 1.0 + 2.0 * torch.rand(2, generator=generator, dtype=torch.float64)
    x = 4.0 * torch.rand(support + query, 1, generator=generator, dtype=torch.float64) - 2.0
    y = amplitude * torch.sin(x - phase)
    none = torch.zeros(0, dtype=torch.int64)
    return Episode(x[:support], y[:support], x[support:], y[support:], x[:0], none, torch.tensor(0))


def mse(params: Params, x: Tensor, y: Tensor) -> Tensor:
    """Mean squared error of the small network."""
    return ((forward(params, x) - y) ** 2).mean()


def gradient(loss: Callable[[Params], Tensor], params: Params) -> Params:
    """∇loss at params, as plain numbers."""
    leaves = {name: p.detach().clone().requires_grad_() for name, p in params.items()}
    return dict(zip(leaves, torch.autograd.grad(loss(leaves), list(leaves.values()))))


def step(loss: Callable[[Params], Tensor], params: Params, alpha: float, steps: int = 1) -> Params:
    """The parameters after plain gradient steps, as plain numbers."""
    for _ in range(steps):
        g = gradient(loss, params)
        params = {name: params[name].detach() - alpha * g[name] for name in params}
    return params


def numeric_gradient(function: Callable[[Params], Tensor], params: Params, h: float = 1e-5) -> Params:
    """Central differences of a scalar function, one parameter at a time."""
    result = {}
    for name in params:
        slopes = torch.zeros_like(params[name]).flatten()
        for i in range(slopes.numel()):
            ends = []
            for sign in (1, -1):
                moved = {key: p.detach().clone() for key, p in params.items()}
                moved[name].view(-1)[i] += sign * h
                ends.append(float(function(moved)))
            slopes[i] = (ends[0] - ends[1]) / (2 * h)
        result[name] = slopes.view_as(params[name])
    return result


def close(a: Params, b: Params, rtol: float = 1e-4) -> bool:
    """Whether two parameter dicts agree, relative to the largest number in either."""
    scale = max(float(t.detach().abs().max()) for t in (*a.values(), *b.values()))
    return all(bool(((a[name] - b[name]).detach().abs() <= rtol * scale).all()) for name in b)
