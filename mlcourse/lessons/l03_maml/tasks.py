"""Tasks of lesson 03: one to test a gradient on, and sines of another frequency."""

from __future__ import annotations

import torch
from torch import Tensor

from mlcourse.datasets.sinusoid import SinusoidSampler, sinusoid
from mlcourse.episode import Episode
from mlcourse.nets import MLP, Params, params_of


def gradient_case(sampler: SinusoidSampler) -> tuple[MLP, Episode, Params, Params]:
    """A random network, a task, the network's parameters θ and a direction u of length about 1 in their space, all in
    float64."""
    net = MLP(seed=0).double()
    task = sampler.sample(25, torch.Generator().manual_seed(0)).task(0).to(torch.float64)
    theta = {name: p.detach() for name, p in params_of(net).items()}
    generator, size = torch.Generator().manual_seed(0), sum(p.numel() for p in theta.values())
    draw = lambda p: torch.randn(p.shape, generator=generator, dtype=p.dtype) / size ** 0.5
    return net, task, theta, {name: draw(p) for name, p in theta.items()}


class OtherFrequency(SinusoidSampler):
    """The sines A sin(ω x - ψ) of one frequency ω = `omega`."""

    omega = 1.0

    def episodes(self, amplitude: Tensor, phase: Tensor, generator: torch.Generator) -> Episode:
        """The episodes of SinusoidSampler, with the curves of this frequency."""
        episode = super().episodes(amplitude, phase, generator)
        curve = lambda x: sinusoid(self.omega * x, amplitude.view(-1, 1, 1), phase.view(-1, 1, 1))
        return episode._replace(support_y=curve(episode.support_x), query_y=curve(episode.query_x))
