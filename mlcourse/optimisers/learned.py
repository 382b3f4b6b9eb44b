"""A learned optimiser: an LSTM that sees the gradient of each coordinate and says how to move it.

Andrychowicz, Denil, Gómez Colmenarejo, Hoffman, Pfau, Schaul, Shillingford, de Freitas: Learning to Learn by Gradient
Descent by Gradient Descent, NeurIPS 2016, sections 2 and 2.1 and appendix A.

    θ_{t+1} = θ_t + u_t        [u_t, h_{t+1}] = m(∇f(θ_t), h_t; φ)        minimise E_f Σ_t f(θ_t) in φ, t = 1, …, T
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mlcourse.nets.lstm import LSTMCell

Function = Callable[[Tensor], Tensor]
State = tuple[tuple[Tensor, Tensor], ...]


def log_and_sign(g: Tensor, p: float = 10.0) -> Tensor:
    """Gradients (…) of any size as two numbers each (…, 2), the paper's appendix A:

        (log|g| / p, sign g)    where |g| ≥ e^-p          (-1, e^p g)    else

    The first is at least -1 and has no upper bound.
    """
    large = g.abs() >= math.exp(-p)
    log = g.abs().where(large, 1).log() / p
    return torch.stack([log.where(large, -1), g.sign().where(large, math.exp(p) * g)], -1)


class LearnedOptimiser(nn.Module):
    """m: `layers` LSTM cells of `hidden` units and a linear layer, the same for every coordinate, whose output times
    `scale` is the step. Each coordinate has a state of its own and sees no other coordinate.

    Raises ValueError for sizes below 1.
    """

    inputs = 2

    def __init__(self, hidden: int = 20, layers: int = 2, scale: float = 0.1, seed: int = 0):
        super().__init__()
        if min(hidden, layers) < 1:
            raise ValueError(f"a learned optimiser needs at least 1 unit and 1 layer, got {hidden} and {layers}")
        sizes = [self.inputs] + [hidden] * layers
        self.cells = nn.ModuleList(LSTMCell(i, o, seed=seed + n) for n, (i, o) in enumerate(zip(sizes, sizes[1:])))
        most, generator = hidden**-0.5, torch.Generator().manual_seed(seed + layers)
        self.out = nn.Parameter(most * (2 * torch.rand(hidden, generator=generator) - 1))
        self.scale = scale

    def seen(self, g: Tensor) -> Tensor:
        """What the first cell sees of gradients (…): (…, inputs)."""
        return log_and_sign(g)

    def start(self, theta: Tensor) -> State:
        """The state before the first step: zeros for every coordinate and layer."""
        return tuple(cell.start(theta[..., None]) for cell in self.cells)

    def forward(self, g: Tensor, state: State) -> tuple[Tensor, State]:
        """u_t (…), one step for each gradient (…), and the new state."""
        x, after = self.seen(g), []
        for cell, before in zip(self.cells, state, strict=True):
            after.append(cell(x, before))
            x = after[-1][0]
        return self.scale * (x @ self.out), tuple(after)


class Unrolled(NamedTuple):
    """losses (T, B): f(θ_1), …, f(θ_T); θ_T (B, D) and the state then, both with their history."""

    losses: Tensor
    theta: Tensor
    state: State

    def detached(self) -> tuple[Tensor, State]:
        """θ_T and the state as numbers: where the next stretch goes on."""
        return self.theta.detach(), tuple((h.detach(), c.detach()) for h, c in self.state)


def unroll(optimiser: LearnedOptimiser, f: Function, theta: Tensor, state: State, steps: int,
           order: int = 1) -> Unrolled:
    """`steps` steps of the optimiser on f from θ (B, D), kept as a graph that ends at θ and `state`.

    f: θ (B, D) -> (B,), each function of its own θ only. order: 1 takes ∇f(θ_t) as a constant, as the paper does; with
    2 the meta-gradient is the derivative of the losses.
    """
    losses, theta = [], theta if theta.requires_grad else theta.detach().requires_grad_()
    loss = f(theta)
    for _ in range(steps):
        g, = torch.autograd.grad(loss.sum(), theta, retain_graph=True, create_graph=order == 2)
        step, state = optimiser(g, state)
        theta = theta + step
        loss = f(theta)
        losses.append(loss)
    return Unrolled(torch.stack(losses), theta, state)


def run(optimiser: LearnedOptimiser, f: Function, theta: Tensor, steps: int) -> Tensor:
    """The losses (steps + 1, B) of a run that nobody differentiates, the one at the start first."""
    losses, state = [f(theta)[None]], optimiser.start(theta)
    for _ in range(steps):
        stretch = unroll(optimiser, f, theta, state, 1)
        theta, state = stretch.detached()
        losses.append(stretch.losses.detach())
    return torch.cat(losses)


def meta_train(optimiser: LearnedOptimiser, sample: Callable[[torch.Generator], tuple[Function, Tensor]], batches: int,
               *, steps: int = 100, stretch: int = 20, lr: float = 1e-2, seed: int = 0) -> Iterator[float]:
    """Train φ, in place; yields the mean loss over steps and functions of each stretch, `steps` / `stretch` a batch.

    sample: functions and where they start, from a generator. Each batch is run for `steps` steps, and after every
    `stretch` of them Adam takes one step down the sum of the stretch's losses, a mean over the functions. Then θ and
    the state go on as numbers: no gradient crosses from one stretch to the one before. The rate falls to 0 by a
    cosine. Raises ValueError unless `stretch` divides `steps`, and where a loss is not finite.
    """
    if stretch < 1 or steps % stretch:
        raise ValueError(f"the steps of a run are cut into equal stretches, got {steps} steps and stretches of "
                         f"{stretch}; choose a stretch that divides the steps")
    adam = torch.optim.Adam(optimiser.parameters(), lr=lr)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(adam, batches * steps // stretch)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(batches):
        f, theta = sample(generator)
        state = optimiser.start(theta)
        for _ in range(steps // stretch):
            unrolled = unroll(optimiser, f, theta, state, stretch)
            meta_loss = unrolled.losses.sum(0).mean()
            if not meta_loss.isfinite():
                raise ValueError(f"the meta-loss is {meta_loss.item()}; train with a lower rate than {lr}")
            adam.zero_grad()
            meta_loss.backward()
            adam.step()
            falling.step()
            theta, state = unrolled.detached()
            yield meta_loss.item() / stretch
