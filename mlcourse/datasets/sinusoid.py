"""The sinusoid regression tasks of Finn et al. 2017, section 5.1."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mlcourse.episode import Episode


def sinusoid(x: Tensor, amplitude, phase) -> Tensor:
    """amplitude · sin(x - phase), elementwise."""
    return amplitude * torch.sin(x - phase)


class SinusoidSampler:
    """Draws regression tasks y = A sin(x - φ): amplitude A, phase φ and inputs x uniform in the given ranges.

    shot: K support points; query: query points; x has the shape (K, 1). The defaults are the paper's ranges: A in
    [0.1, 5], φ in [0, π], x in [-5, 5].
    """

    way = 0

    def __init__(self, shot: int = 10, query: int = 10, amplitude: tuple[float, float] = (0.1, 5.0),
                 phase: tuple[float, float] = (0.0, math.pi), x: tuple[float, float] = (-5.0, 5.0)):
        for value, what in ((shot, "shot"), (query, "query")):
            if value < 1:
                raise ValueError(f"{what} must be at least 1, got {value}")
        for (low, high), what in ((amplitude, "amplitude"), (phase, "phase"), (x, "x")):
            if not (math.isfinite(low) and math.isfinite(high) and low <= high):
                raise ValueError(f"the range of {what} must be finite with low <= high, got ({low}, {high})")
        self.shot, self.query = shot, query
        self.amplitude, self.phase, self.x = amplitude, phase, x

    def tasks(self, tasks: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Amplitudes (T,) and phases (T,) of `tasks` tasks."""
        return _uniform(self.amplitude, (tasks,), generator), _uniform(self.phase, (tasks,), generator)

    def episodes(self, amplitude: Tensor, phase: Tensor, generator: torch.Generator) -> Episode:
        """One episode for each given amplitude and phase, both of shape (T,)."""
        t = len(amplitude)
        x = _uniform(self.x, (t, self.shot + self.query, 1), generator)
        y = sinusoid(x, amplitude.view(-1, 1, 1), phase.view(-1, 1, 1))
        k = self.shot
        return Episode(x[:, :k], y[:, :k], x[:, k:], y[:, k:], x[:, :0],
                       torch.zeros(t, 0, dtype=torch.int64), torch.zeros(t, dtype=torch.int64))

    def sample(self, tasks: int, generator: torch.Generator) -> Episode:
        """A batch of episodes of random tasks."""
        return self.episodes(*self.tasks(tasks, generator), generator)


def _uniform(span: tuple[float, float], shape, generator: torch.Generator) -> Tensor:
    return span[0] + (span[1] - span[0]) * torch.rand(shape, generator=generator)
