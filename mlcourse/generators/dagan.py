"""A conditional GAN that redraws a picture as another one of its class, trained on training classes.

Antoniou, Storkey, Edwards: Data Augmentation Generative Adversarial Networks (DAGAN), 2017, section 3.

    the critic D sees pairs:  real (x_i, x_j), two different pictures of one class;  made (x_i, G(x_i, ξ))
    L_D = mean D(x_i, G(x_i, ξ)) - mean D(x_i, x_j) + 10 · gradient penalty
    L_G = -mean D(x_i, G(x_i, ξ))

Were x_j ever x_i itself, a copy would be the best drawing. New classes enter by their support pictures alone. Not
theirs: G is the course's (`nets.gan`), the critic's convolutions have spectral norm 1, and mode seeking keeps G from
forgetting its noise.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from mlcourse.episode import EpisodeSampler
from mlcourse.generators.generator import Generator
from mlcourse.generators.made import in_turn
from mlcourse.losses.gan import gradient_penalty, mode_seeking
from mlcourse.nets.gan import NOISE, Discriminator, Redrawing
from mlcourse.phases import Phase, cosine_decay

PENALTY, SEEK = 10.0, 0.3
RATES = {"redrawing": 2e-4, "critic": 1e-3}


class Pair(NamedTuple):
    """Two different pictures of one class (B, 1, S, S) each, the noise of two drawings (B, NOISE) each, and where
    between a real and a made pair the penalty is taken (B,), in [0, 1]."""

    first: Tensor
    second: Tensor
    z1: Tensor
    z2: Tensor
    between: Tensor


def pairs(sampler: EpisodeSampler, generator: torch.Generator) -> Pair:
    """One batch: the support and the query picture of each class of a 1-shot 1-query episode. They are never the same.

    Raises ValueError for a sampler of other episodes.
    """
    if (sampler.shot, sampler.query) != (1, 1):
        raise ValueError("DAGAN learns from pairs, so shot and query must be 1, got "
                         f"{sampler.shot} and {sampler.query}")
    episode = sampler.sample(1, generator).task(0)
    first, second = (x[y.argsort()] for x, y in ((episode.support_x, episode.support_y),
                                                 (episode.query_x, episode.query_y)))
    z1, z2 = torch.randn(2, len(first), NOISE, generator=generator)
    return Pair(first, second, z1, z2, torch.rand(len(first), generator=generator))


class DAGAN(Generator):
    """G and its critic, for pictures of side `side`, divisible by 4. seek: the weight of mode seeking. seed: of the
    initial weights."""

    def __init__(self, side: int = 28, seek: float = SEEK, seed: int = 0):
        super().__init__()
        self.redrawing, self.critic = Redrawing(seed=seed), Discriminator(side, seed=seed, channels=2)
        self.seek = seek
        self.config = {"side": side, "seek": seek, "seed": seed}

    def critic_loss(self, batch: Pair, drawn: Tensor) -> Tensor:
        """L_D, of which G is no part."""
        real, made = torch.cat([batch.first, batch.second], 1), torch.cat([batch.first, drawn.detach()], 1)
        at = batch.between.view(-1, 1, 1, 1)
        return (self.critic(made).mean() - self.critic(real).mean()
                + PENALTY * gradient_penalty(self.critic, at * real + (1 - at) * made))

    def generator_loss(self, batch: Pair, drawn: Tensor, other: Tensor) -> Tensor:
        """L_G; the critic judges, and is not changed by it."""
        constant = {name: p.detach() for name, p in self.critic.named_parameters()}
        judged = torch.func.functional_call(self.critic, constant, (torch.cat([batch.first, drawn], 1),))
        return -judged.mean() - self.seek * mode_seeking(drawn, other, batch.z1, batch.z2)

    def phases(self, sampler: EpisodeSampler, steps: int) -> list[Phase]:
        """L_D + L_G in one step of one Adam, β = (0, 0.9), its rates annealed to 0 by a cosine. Each moves the weights
        of its own network alone. sampler: of 1-shot 1-query episodes of training classes, whose way is the number of
        pairs a step."""
        groups = [{"params": list(getattr(self, part).named_parameters(part)), "lr": lr} for part, lr in RATES.items()]

        def loss(batch: Pair, step: int) -> Tensor:
            drawn, other = self.redrawing(batch.first.repeat(2, 1, 1, 1), torch.cat([batch.z1, batch.z2])).chunk(2)
            return self.critic_loss(batch, drawn) + self.generator_loss(batch, drawn, other)

        return [Phase("dagan", lambda generator: pairs(sampler, generator), loss,
                      torch.optim.Adam(groups, betas=(0.0, 0.9)), steps, cosine_decay,
                      after=lambda batch: self.critic.iterate())]

    @torch.no_grad()
    def draw(self, x: Tensor, count: int, generator: torch.Generator) -> Tensor:
        """G(x, ξ) of the K supports of a class in turn: (N, count, 1, S, S)."""
        given = in_turn(x, count)
        noise = torch.randn(given.shape[0] * count, NOISE, generator=generator).to(x)
        return self.redrawing(given.flatten(0, 1), noise).view_as(given)
