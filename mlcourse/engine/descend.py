"""The inner loop: gradient steps that can be differentiated through."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from mlcourse.nets import Params


def descend(loss: Callable[[Params], Tensor], params: Params, steps: int, lr: float | Params, *,
             order: int = 2, only: Iterable[str] | None = None, stacked: bool = False) -> Params:
    """`steps` steps of gradient descent on `loss` from `params`: φ ← φ - α ∇loss(φ) (Finn et al. 2017, Algorithm 1,
    line 6).

    loss: a function of the parameters that returns a scalar. lr: α, a positive number, or a dict of tensors shaped
    like the adapted parameters (Meta-SGD's rates, of any sign). order: 2 lets gradients flow through ∇loss to
    `params`; 1 treats ∇loss as a constant (FOMAML). only: the names of the parameters to adapt, or their prefixes
    ("head."); the others are used as they are. stacked: T tasks at once: parameters have a leading task dimension, and
    `loss` returns (T,), each loss a function of its own task's parameters only.

    Returns new tensors; `params` is never changed. Works under vmap and, at test time, under no_grad.
    Raises ValueError for a rate that is not positive and finite, or for a name in `only` that matches nothing.
    """
    return trajectory(loss, params, steps, lr, order=order, only=only, stacked=stacked)[-1]


def trajectory(loss: Callable[[Params], Tensor], params: Params, steps: int, lr: float | Params, *,
               order: int = 2, only: Iterable[str] | None = None, stacked: bool = False) -> list[Params]:
    """The path of `descend`: the parameters before the first step and after each one, steps + 1 in all."""
    check_steps(steps)
    adapted = _select(params, only)
    if isinstance(lr, dict):
        missing = [name for name in adapted if name not in lr]
        if missing:
            raise ValueError(f"no learning rate for parameter {missing[0]!r}; give one for every adapted parameter")
        rate = lr
    else:
        check_rate(lr)
        rate = dict.fromkeys(adapted, lr)
    path = [dict(params)]
    for _ in range(steps):
        phi = path[-1]
        start = {name: phi[name] if order == 2 else phi[name].detach() for name in adapted}
        fixed = {name: p if order == 2 else p.detach() for name, p in phi.items() if name not in start}
        at = lambda moving, fixed=fixed: loss({**fixed, **moving})
        g = gradient(at, start, order=order, stacked=stacked)
        path.append({**phi, **{name: _step(phi[name], rate[name], g[name]) for name in adapted}})
    return path


def gradient(loss: Callable[[Params], Tensor], start: Params, *, order: int, stacked: bool) -> Params:
    """∇loss at `start`, by name; with order=1 a constant. The other arguments are those of `descend`."""
    with differentiable_twice():
        g = _stacked_gradient(loss, start, order) if stacked else torch.func.grad(loss)(start)
    return {name: g[name].detach() for name in start} if order == 1 else g


def value_and_gradient(loss: Callable[[Params], Tensor], start: Params, *, order: int = 1, stacked: bool
                       ) -> tuple[Tensor, Params]:
    """The loss at `start`, a constant, and its gradient there by name, with order=1 a constant, too. The arguments are
    those of `descend`."""
    if order == 2:
        return loss(start).detach(), gradient(loss, start, order=2, stacked=stacked)
    start = {name: p.detach() for name, p in start.items()}
    if not stacked:
        g, value = torch.func.grad_and_value(loss)(start)
    else:
        with torch.enable_grad():
            moving = {name: p.requires_grad_() for name, p in start.items()}
            value = loss(moving)
            found = torch.autograd.grad(value.sum(), list(moving.values()), materialize_grads=True)
            g = dict(zip(moving, found, strict=True))
    return value.detach(), {name: g[name].detach() for name in start}


def differentiable_twice():
    """Attention by plain matrix products in this block: torch's fused kernels have no second derivative."""
    return sdpa_kernel(SDPBackend.MATH)


def _step(p: Tensor, rate: float | Tensor, g: Tensor) -> Tensor:
    """p - rate · g, memory touched once."""
    return torch.addcmul(p, rate, g, value=-1) if torch.is_tensor(rate) else torch.sub(p, g, alpha=rate)


def _stacked_gradient(loss: Callable[[Params], Tensor], start: Params, order: int) -> Params:
    """The gradients of T losses by their own parameters, as the gradient of their sum."""
    differentiable = order == 2 and torch.is_grad_enabled()
    with torch.enable_grad():
        moving = {name: p if differentiable and p.requires_grad else p.detach().requires_grad_()
                  for name, p in start.items()}
        g = torch.autograd.grad(loss(moving).sum(), list(moving.values()), create_graph=differentiable,
                                materialize_grads=True)
    return dict(zip(moving, g, strict=True))


def check_steps(steps: int) -> None:
    """Raises ValueError for a negative number of inner steps."""
    if steps < 0:
        raise ValueError(f"the number of inner steps must not be negative, got {steps}")


def check_rate(lr: float, what: str = "learning rate") -> None:
    """Raises ValueError unless `lr` is a positive, finite number."""
    if not (lr > 0 and math.isfinite(lr)):
        raise ValueError(f"the {what} must be a positive, finite number, got {lr}")


def _select(params: Params, only: Iterable[str] | None) -> list[str]:
    """The names of the adapted parameters."""
    if only is None:
        return list(params)
    only = tuple(only)
    for prefix in only:
        if not any(name.startswith(prefix) for name in params):
            raise ValueError(f"no parameter is called {prefix!r} or begins so; the network has {', '.join(params)}")
    return [name for name in params if name.startswith(only)]
