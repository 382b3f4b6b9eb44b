"""Adapted linear layers that are never written out.

A step of plain gradient descent changes a weight by the products of what the layer saw and the errors it made:

    W' = W - α Σ_s δ_s x_sᵀ        so        W'x = Wx - α Σ_s (x·x_s) δ_s

With few support samples s the right-hand side is cheaper: Wx is one product for all tasks, because W is θ's and shared,
and no task writes a weight matrix or its gradient. The numbers are those of `descend`, beside which the tests hold it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from mlcourse.engine.descend import check_rate, check_steps
from mlcourse.losses import task_loss
from mlcourse.nets import stacking, MLP, head


class UpdatedWeight:
    """The weight W - Σ_s δ_s x_sᵀ of T tasks: W (O, I) shared, pairs of inputs x (T, S, I) and errors δ (T, S, O)."""

    ndim = 3

    def __init__(self, shared: Tensor, pairs: tuple[tuple[Tensor, Tensor], ...] = ()):
        self.shared, self.pairs = shared, pairs
        self.seen = self.product = None

    def times(self, x: Tensor) -> Tensor:
        """x (T, M, I) times the transposed weight: (T, M, O). The last input and product are kept for `stepped`."""
        z = x @ self.shared.T
        for inputs, errors in self.pairs:
            z = torch.baddbmm(z, x @ inputs.mT, errors, alpha=-1)
        if torch.is_grad_enabled() and not z.requires_grad:
            z.requires_grad_()
        self.seen, self.product = x, z
        return z

    def stepped(self, errors: Tensor, differentiable: bool) -> UpdatedWeight:
        """The weight after a step with these errors, times the rate, on the input that `times` saw last."""
        seen = self.seen.detach() if self.seen.requires_grad and not differentiable else self.seen
        if self.pairs and self.pairs[-1][0] is seen:
            *earlier, (_, before) = self.pairs
            return UpdatedWeight(self.shared, (*earlier, (seen, before + errors)))
        return UpdatedWeight(self.shared, (*self.pairs, (seen, errors)))


def worthwhile(weight: Tensor, samples: int) -> bool:
    """Whether products with `samples` pairs cost less than writing the weight (O, I) of a task."""
    return samples * sum(weight.shape) < weight.numel()


def fits(net, lr, only) -> bool:
    """Whether `descend` computes gradient steps of rate `lr` on the parameters `only` of this network: all of an MLP's,
    at one rate."""
    return only is None and isinstance(lr, int | float) and isinstance(net, MLP) and stacking.stacks(net)


def descend(net, theta: dict[str, Tensor], x: Tensor, y: Tensor, steps: int, lr: float, order: int) -> dict:
    """`steps` steps of gradient descent on the support loss of T tasks: as `descend.descend` with stacked parameters.

    theta: θ by name, shared. x (T, S, *D), y (T, S). order: 2 or 1. Returns φ by name: tensors (T, …), or an
    `UpdatedWeight` for each linear layer of the body where that is worthwhile. Raises ValueError for a rate that is not
    positive and finite, or a negative number of steps.
    """
    check_steps(steps)
    check_rate(lr)
    x, tasks = x.flatten(2), len(x)
    layers = {name for name in theta if name.startswith("body.") and name.endswith(".weight")
              and worthwhile(theta[name], steps * x.shape[1])}
    phi = {name: UpdatedWeight(p) if name in layers else p.expand(tasks, *p.shape)
           for name, p in theta.items()}
    for _ in range(steps):
        phi = _step(net, phi, x, y, lr, order)
    return phi


def _step(net, phi: dict, x: Tensor, y: Tensor, lr: float, order: int) -> dict:
    differentiable = order == 2 and torch.is_grad_enabled()
    with torch.enable_grad():
        start = {name: p if isinstance(p, UpdatedWeight) or differentiable and p.requires_grad
                 else p.detach().requires_grad_() for name, p in phi.items()}
        losses = task_loss(head(start, net.stacked(start, x)[0]), y)
        moved = [p.product if isinstance(p, UpdatedWeight) else p for p in start.values()]
        gradients = torch.autograd.grad(losses.sum(), moved, create_graph=differentiable,
                                        materialize_grads=True)
    return {name: p.stepped(lr * g, differentiable) if isinstance(p, UpdatedWeight) else torch.sub(p, g, alpha=lr)
            for (name, p), g in zip(phi.items(), gradients, strict=True)}
