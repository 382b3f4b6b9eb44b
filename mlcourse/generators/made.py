"""Two generators: hand-made views, the control of all others, and the samples of a set VAE."""

from __future__ import annotations

import torch
from torch import Tensor

from mlcourse.episode.views import draws, view
from mlcourse.generators.generator import Generator
from mlcourse.losses.vae import check_binary
from mlcourse.nets.set_vae import SetVAE


class HandMade(Generator):
    """Views of the support pictures (`episode.view`). Nothing is trained. strength: as in `view`."""

    def __init__(self, strength: float = 1.0):
        super().__init__()
        self.strength = strength

    def draw(self, x: Tensor, count: int, generator: torch.Generator) -> Tensor:
        """Views (N, count, 1, S, S), of the K supports of a class in turn."""
        given = in_turn(x, count)
        return view(given.flatten(0, 1), draws(given.shape[0] * count, generator).to(x), self.strength).view_as(given)


class FromSet(Generator):
    """Samples of a set VAE: c ~ q(c|D), then z ~ p(z|c), and the probabilities of the pixels.

    Raises ValueError for pictures that are not binary.
    """

    def __init__(self, vae: SetVAE):
        super().__init__()
        self.vae = vae

    @torch.no_grad()
    def draw(self, x: Tensor, count: int, generator: torch.Generator) -> Tensor:
        """The probabilities of the pixels of new pictures (N, count, 1, S, S). One c a class, one z a picture."""
        check_binary(x)
        noise_c = torch.randn(len(x), self.vae.c, generator=generator).to(x)
        return self.vae.sample(x, noise_c, torch.randn(len(x), count, self.vae.z, generator=generator).to(x))


def in_turn(x: Tensor, count: int) -> Tensor:
    """`count` of the K pictures x (N, K, …) of each class, one after another, and again from the first."""
    return x[:, torch.arange(count) % x.shape[1]]
