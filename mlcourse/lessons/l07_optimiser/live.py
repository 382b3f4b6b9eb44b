"""What lesson 07 runs: how a race is scored, and episodes of frozen features."""

from __future__ import annotations

import torch
from torch import Tensor

from mlcourse.datasets import load_splits
from mlcourse.episode import Splits
from mlcourse.lessons.l07_optimiser import study_meta_lstm as study
from mlcourse.lessons.l07_optimiser import study_optimisers_arms as arms
from mlcourse.lessons.l07_optimiser.study_meta_lstm import FeatureSampler
from mlcourse.optimisers import LearnedOptimiser, Quadratics, of_condition, random_quadratics

__all__ = ["frozen_features", "held_out", "race", "round_functions", "score", "typical"]

SOME = 40           # classes of either split whose features a lesson has time for


def score(losses: Tensor) -> Tensor:
    """Of each function the mean loss over the steps, (B,), from the losses (steps + 1, B) of a race; a loss above that
    at the start counts as that."""
    losses = arms.bounded(losses)
    return losses[1:].minimum(losses[0]).mean(0)


def typical(losses: Tensor, step: int) -> float:
    """The geometric mean over the functions after a step of a race."""
    return arms.typical(arms.bounded(losses), [step])[0]


def round_functions(count: int, seed: int) -> tuple[Quadratics, Tensor]:
    """Functions of condition number 1, and where they start."""
    return of_condition(1.0, count, torch.Generator().manual_seed(seed))


def held_out(count: int, seed: int) -> tuple[Quadratics, Tensor]:
    """Random quadratics, and where they start."""
    return random_quadratics(count, torch.Generator().manual_seed(seed))


def race(optimiser: LearnedOptimiser, f: Quadratics, phi: Tensor, steps: int) -> Tensor:
    """The losses (steps + 1, B) of a learned optimiser, by the gradient's formula and without any graph."""
    state, losses = optimiser.start(phi), [f(phi)]
    with torch.inference_mode():
        for _ in range(steps):
            u, state = optimiser(f.gradient(phi), state)
            phi = phi + u
            losses.append(f(phi))
    return torch.stack(losses)


def frozen_features() -> tuple[FeatureSampler, FeatureSampler]:
    """5-way 1-shot episodes of the shipped ProtoNet's features: of 40 training classes, and of 40 from new scripts."""
    splits = load_splits("glyphs")
    some = lambda domain: domain.subset(range(0, len(domain.classes), len(domain.classes) // SOME)[:SOME])
    parts = Splits(some(splits.train), splits.val.subset([0]), some(splits.test))
    z = study.features(parts)
    return FeatureSampler(z.train, parts.train, 5, 1, query=5), FeatureSampler(z.test, parts.test, 5, 1)
