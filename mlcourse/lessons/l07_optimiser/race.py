"""What the explorer of lesson 07 shows: a race on functions of one kind, and the learned update at some steps of it."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from mlcourse.lessons.l07_optimiser import shipped
from mlcourse.lessons.l07_optimiser import study_optimisers_arms as arms
from mlcourse.lessons.l07_optimiser.study_optimisers_settings import Setting, functions
from mlcourse.optimisers import LearnedOptimiser, Quadratics

LEARNED = arms.LEARNED
RACERS = (LEARNED, arms.SGD, arms.MOMENTUM, arms.BETAS_TOO, arms.CG)
HORIZONS = (1, 2, 5, 10, 20, 50, 100, 200, 300, 500)
FUNCTIONS, SEED, WHICH = 32, 4321, 3        # a set of functions that nothing was trained, tuned or judged on
UP = 10.0 ** np.linspace(-3, 2, 33)
GRADIENTS = np.concatenate([-UP[::-1], [0.0], UP])


class Dissection(NamedTuple):
    """The learned update of ten coordinates after some steps. updates (10, M): u for each of the gradients (M,), were
    they the next. seen, taken (10,): the gradients that do come next, and the steps."""

    updates: np.ndarray
    seen: np.ndarray
    taken: np.ndarray


@cache
def learned_run(condition: float | None, start: float) -> tuple[np.ndarray, dict[int, Dissection]]:
    """The typical loss (501,) of the shipped optimiser, and its updates at the HORIZONS for the first function."""
    optimiser, (f, theta) = shipped.learned().double(), drawn(condition, start)
    state, losses, found = optimiser.start(theta), [f(theta)], {}
    with torch.inference_mode():
        for t in range(1, max(HORIZONS) + 1):
            step, state = optimiser(f.gradient(theta), state)
            theta = theta + step
            losses.append(f(theta))
            if t in HORIZONS:
                found[t] = dissected(optimiser, f.gradient(theta)[0], [(h[0], c[0]) for h, c in state])
    return typical(torch.stack(losses)), found


def dissected(optimiser: LearnedOptimiser, g: Tensor, state: list[tuple[Tensor, Tensor]]) -> Dissection:
    """The updates of the coordinates of one function, g (D,) their next gradients and the state (D, hidden) theirs."""
    tried = torch.from_numpy(GRADIENTS).to(g).expand(len(g), -1)
    copied = tuple(tuple(part[:, None].expand(-1, tried.shape[1], -1) for part in each) for each in state)
    return Dissection(optimiser(tried, copied)[0].numpy(), g.numpy(), optimiser(g, tuple(state))[0].numpy())


@cache
def rival_run(name: str, condition: float | None, start: float, steps: int) -> np.ndarray:
    """The typical loss (steps + 1,) of a rival; decays are stretched over all steps."""
    race = arms.told(name) if name == arms.CG else shipped.tuned(name)[1]
    with torch.inference_mode():
        return typical(race(*drawn(condition, start), steps))


def drawn(condition: float | None, start: float) -> tuple[Quadratics, Tensor]:
    """Functions of a condition number (None: random quadratics), and where they start, `start` times as far as in the
    training."""
    return functions(Setting(start=start, condition=condition), FUNCTIONS, SEED, WHICH)


def typical(losses: Tensor) -> np.ndarray:
    """The geometric mean over the functions, (steps + 1,)."""
    return arms.bounded(losses).clamp(min=1e-12).log().mean(1).exp().numpy()
