"""Few-shot tasks of short sequences: damped oscillations, such as a sensor hears when something is struck."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mlcourse.episode import Episode

LENGTH = 24
CYCLES, DECAY, SHARE = (1.0, 6.0), (0.0, 4.0), (0.0, 1.0)


class OscillationSampler:
    """Draws N-way K-shot episodes of sequences. A class is an instrument: the number of cycles c, uniform in [1, 6],
    the decay d, uniform in [0, 4], and the share s of its first overtone, uniform in [0, 1].

        x(t) = a · exp(-d t) · (sin(2πct + p) + s · sin(4πct + q)) + noise

    t: `length` even points in [0, 1). Amplitude a (uniform in [0.5, 1.5]), phases p and q (uniform in [0, 2π]) and the
    noise (sd `noise`) are drawn for every sample, so two samples of a class share no value, only their instrument.
    Samples have the shape (length, 1). Classes are drawn anew for every episode, so none is seen twice: training and
    test episodes are of different instruments. `classes` holds labels only. Raises ValueError for a way below 2 or a
    count below 1, or a noise that is negative or not finite.
    """

    domain = None

    def __init__(self, way: int = 5, shot: int = 1, query: int = 5, length: int = LENGTH, noise: float = 0.1):
        for value, what, minimum in ((way, "way", 2), (shot, "shot", 1), (query, "query", 1), (length, "length", 2)):
            if value < minimum:
                raise ValueError(f"{what} must be at least {minimum}, got {value}")
        if not (noise >= 0 and math.isfinite(noise)):
            raise ValueError(f"the noise must be a finite number of at least 0, got {noise}")
        self.way, self.shot, self.query, self.length, self.noise = way, shot, query, length, noise

    def sample(self, tasks: int, generator: torch.Generator) -> Episode:
        """A batch of `tasks` episodes, their samples in random order."""
        n, each = self.way, self.shot + self.query
        uniform = lambda span, *shape: span[0] + (span[1] - span[0]) * torch.rand(shape, generator=generator)
        cycles, decay, share = (uniform(span, tasks, n, 1, 1) for span in (CYCLES, DECAY, SHARE))
        amplitude = uniform((0.5, 1.5), tasks, n, each, 1)
        phase, second = (uniform((0.0, 2 * math.pi), tasks, n, each, 1) for _ in range(2))
        t = torch.arange(self.length) / self.length
        tone = torch.sin(2 * math.pi * cycles * t + phase) + share * torch.sin(4 * math.pi * cycles * t + second)
        noise = self.noise * torch.randn(tasks, n, each, self.length, generator=generator)
        x = (amplitude * torch.exp(-decay * t) * tone + noise).unsqueeze(-1)
        y = torch.arange(n).view(1, n, 1).expand(tasks, n, each)
        support, query = (self._shuffled(x[:, :, part], y[:, :, part], generator)
                          for part in (slice(0, self.shot), slice(self.shot, None)))
        return Episode(*support, *query, support[0][:, :0], torch.arange(n).expand(tasks, n),
                       torch.zeros(tasks, dtype=torch.int64))

    def _shuffled(self, x: Tensor, y: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        x, y = x.flatten(1, 2), y.flatten(1, 2)
        order = torch.rand(y.shape, generator=generator).argsort(1)
        return x.gather(1, order[..., None, None].expand_as(x)), y.gather(1, order)
