"""The racers: what is learned, what is tuned, and what is told the functions."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch
from torch import Tensor

from mlcourse.optimisers import (LearnedOptimiser, Quadratics, adam, best_momentum, conjugate_gradients, meta_train,
                                 momentum, random_quadratics)
from mlcourse.phases import constant, cosine_decay, linear_decay

LEARNED = "learned"
SGD, MOMENTUM, ADAM, BETAS_TOO = "SGD", "SGD with momentum", "Adam", "Adam, β tuned, too"
AGAIN = "Adam, tuned again"
CLOSED, CG = "momentum in closed form", "conjugate gradients"
DECAYS = {"constant": constant, "linear": linear_decay, "cosine": cosine_decay,
          "exponential": lambda share: 0.01**share}
MOMENTA = (0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95)
BETAS = ((0.9, 0.999), (0.5, 0.9))       # of Adam, its own first
ADAM_RATES = tuple(round(10 ** (-2 + i / 4), 4) for i in range(13))           # 0.01 to 10
SGD_RATES = tuple(round(10 ** (-3.5 + i / 8), 6) for i in range(17))         # 0.0003 to 0.03
MOST = 1e12                         # what a loss that is larger, or no number, counts as

Race = Callable[[Quadratics, Tensor, int], Tensor]


def trained(seed: int, batches: int, batch: int, lr: float) -> LearnedOptimiser:
    """The learned optimiser, trained on so many batches of `batch` functions."""
    optimiser = LearnedOptimiser(seed=seed)
    for _ in meta_train(optimiser, lambda generator: random_quadratics(batch, generator), batches, lr=lr, seed=seed):
        pass
    return optimiser


def rates(rate: float, decay: str, steps: int) -> list[float]:
    """The rate of each step: the decay is stretched over all of them."""
    return [rate * DECAYS[decay](t / steps) for t in range(steps)]


def told(arm: str) -> Race:
    """The arm that knows each function's Hessian: CLOSED its extreme eigenvalues, CG its products."""
    if arm == CG:
        return conjugate_gradients

    def race(f: Quadratics, theta: Tensor, steps: int) -> Tensor:
        alpha, beta = best_momentum(*f.extremes())
        return momentum(f, theta, [alpha] * steps, beta)

    return race


def candidates(arm: str) -> Mapping[str, Race]:
    """The settings that an arm is tuned over, by their names."""
    if arm in (ADAM, BETAS_TOO):
        return {f"rate {rate:g}, {decay}, β {betas[0]:g} and {betas[1]:g}": partial(_adam, rate, decay, betas)
                for rate, decay, betas in itertools.product(ADAM_RATES, DECAYS, BETAS[:1] if arm == ADAM else BETAS)}
    momenta = (0.0,) if arm == SGD else MOMENTA
    return {f"rate {rate:g}, {decay}" + (f", β {beta:g}" if beta else ""): partial(_sgd, rate, decay, beta)
            for rate, decay, beta in itertools.product(SGD_RATES, DECAYS, momenta)}


def _adam(rate: float, decay: str, betas: tuple[float, float], f: Quadratics, theta: Tensor, steps: int) -> Tensor:
    return adam(f, theta, rates(rate, decay, steps), betas)


def _sgd(rate: float, decay: str, beta: float, f: Quadratics, theta: Tensor, steps: int) -> Tensor:
    return momentum(f, theta, rates(rate, decay, steps), beta)


def tuned(arm: str, f: Quadratics, theta: Tensor, steps: int) -> tuple[str, Race]:
    """The candidate whose mean loss over all steps and functions is lowest: what the learned one is trained for."""
    found = {name: total(bounded(race(f, theta, steps))) for name, race in candidates(arm).items()}
    best = min(found, key=found.get)
    return best, candidates(arm)[best]


def bounded(losses: Tensor) -> Tensor:
    """The losses, none above MOST."""
    return losses.nan_to_num(MOST, MOST, MOST).clamp(max=MOST)


def over_steps(losses: Tensor) -> Tensor:
    """The mean of losses (steps + 1, B) over all steps but the start, (B,). A loss above that at the start counts as
    that at the start, where who diverges could have stayed: one function would outweigh all others."""
    return losses[1:].minimum(losses[0]).mean(0)


def total(losses: Tensor) -> float:
    """The mean of `over_steps` over the functions."""
    return float(over_steps(losses).mean())


def typical(losses: Tensor, steps: Sequence[int]) -> list[float]:
    """The geometric mean over the functions after each of some steps: what a usual function has left, whatever its
    scale. Losses below 1e-12 count as 1e-12."""
    return torch.exp(losses[list(steps)].clamp(min=1e-12).log().mean(1)).tolist()
