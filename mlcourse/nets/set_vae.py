"""A variational autoencoder of sets: the Neural Statistician, with one layer of z.

Edwards and Storkey, Towards a Neural Statistician, ICLR 2017, sections 3 and 4. A set D of pictures of one class has
one context c; each picture x of it has its own z:

    c ~ p(c) = N(0, I)      z ~ p(z|c), learned      x ~ p(x|z, c), Bernoulli in every pixel
    q(c|D): from the mean over D of h(x)             q(z|x, c): from h(x) and c

    bound of a set = Σ_x [ E log p(x|z, c) - KL(q(z|x, c) ‖ p(z|c)) ] - KL(q(c|D) ‖ p(c))

The class reaches the decoder through c, and labels only say which pictures belong together; so a class that was never
seen can be drawn from one picture. Not theirs: c is a small map, `maps` numbers at each place of a grid of a quarter of
the side, so that a stroke keeps its place and a new character is made of known strokes. As an argument c is flat.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.losses.vae import Normal, kl, log_bernoulli, reparameterised, standard_like

LEAST, MOST = -6.0, 20.0        # of a log-variance
FEW = 8                         # maps of what z, or a picture's own h, says at each place


class Bound(NamedTuple):
    """The terms of the bound in nats: log p(x|z, c) (B, S), KL(q(z|x, c)‖p(z|c)) in each dimension (B, S, z), and
    KL(q(c|D)‖p(c)) in each dimension (B, c)."""

    likelihood: Tensor
    kl_z: Tensor
    kl_c: Tensor

    @property
    def value(self) -> Tensor:
        """The bound of each set (B,)."""
        return (self.likelihood - self.kl_z.sum(-1)).sum(-1) - self.kl_c.sum(-1)


class ToNormal(nn.Module):
    """A layer of `hidden` units, then mean and log-variance of `size` dimensions."""

    def __init__(self, inputs: int, hidden: int, size: int):
        super().__init__()
        self.hidden, self.out = nn.Linear(inputs, hidden), nn.Linear(hidden, 2 * size)
        nn.init.normal_(self.out.weight, std=0.02)
        nn.init.zeros_(self.out.bias)

    def forward(self, h: Tensor) -> Normal:
        """h (…, inputs) to a normal distribution (…, size)."""
        mean, log_var = self.out(F.elu(self.hidden(h))).chunk(2, -1)
        return Normal(mean, bounded(log_var))


def bounded(log_var: Tensor) -> Tensor:
    """A log-variance between LEAST and MOST, of which an exponential is finite."""
    return (LEAST + F.softplus(log_var - LEAST)).clamp(max=MOST)


class SetVAE(nn.Module):
    """The networks h, q(c|D), p(z|c), q(z|x, c), and the decoder p(x|z, c), for pictures (1, side, side).

    side: divisible by 4, else ValueError. maps: of c, whose dimensions are maps × (side / 4)². z: dimensions. hidden:
    units of a layer. width: filters of the convolutions. seed: of the initial weights.
    """

    def __init__(self, side: int = 28, maps: int = 4, z: int = 16, hidden: int = 96, width: int = 24, seed: int = 0):
        super().__init__()
        if side < 4 or side % 4:
            raise ValueError(f"the side of the pictures must be divisible by 4, got {side}")
        self.config = {"side": side, "maps": maps, "z": z, "hidden": hidden, "width": width, "seed": seed}
        grid = side // 4
        self.side, self.z, self.c = side, z, maps * grid ** 2
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.h = nn.Sequential(nn.Conv2d(1, width // 2, 4, 2, 1), nn.ELU(), nn.Conv2d(width // 2, width, 4, 2, 1),
                                   nn.ELU(), nn.Conv2d(width, width, 3, 1, 1), nn.ELU())
            self.to_c = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1), nn.ELU(), nn.Conv2d(width, 2 * maps, 3, 1, 1))
            self.few = nn.Conv2d(width, FEW, 1)
            self.to_prior = ToNormal(self.c, hidden, z)
            self.to_z = ToNormal(FEW * grid ** 2 + self.c, hidden, z)
            self.spread = nn.Sequential(nn.Linear(z + self.c, hidden), nn.ELU(), nn.Linear(hidden, FEW * grid ** 2))
            self.decoder = nn.Sequential(
                nn.Conv2d(maps + FEW, 2 * width, 3, 1, 1), nn.ELU(), nn.Conv2d(2 * width, 2 * width, 3, 1, 1),
                nn.ELU(), nn.ConvTranspose2d(2 * width, width, 4, 2, 1), nn.ELU(),
                nn.ConvTranspose2d(width, 1, 4, 2, 1))
            nn.init.normal_(self.to_c[-1].weight, std=0.02)

    def embed(self, x: Tensor) -> Tensor:
        """h(x): maps (B, S, width, side/4, side/4), for sets x (B, S, 1, side, side)."""
        return self.h(x.flatten(0, 1)).unflatten(0, x.shape[:2])

    def context(self, h: Tensor) -> Normal:
        """q(c|D) (B, c) of sets with embeddings h (B, S, …): the same in whatever order the pictures stand."""
        mean, log_var = self.to_c(h.mean(1)).chunk(2, 1)
        return Normal(mean.flatten(1), bounded(log_var.flatten(1)))

    def prior(self, c: Tensor) -> Normal:
        """p(z|c): (…, z) for c (…, c)."""
        return self.to_prior(c)

    def posterior(self, h: Tensor, c: Tensor) -> Normal:
        """q(z|x, c): (B, S, z), for embeddings h (B, S, …) and contexts c (B, c)."""
        own = self.few(h.flatten(0, 1)).flatten(1).unflatten(0, h.shape[:2])
        return self.to_z(torch.cat([own, c[:, None].expand(-1, h.shape[1], -1)], -1))

    def decode(self, z: Tensor, c: Tensor) -> Tensor:
        """Logits of the pixels of p(x|z, c): (B, S, 1, side, side), for z (B, S, z) and c (B, c)."""
        grid = self.side // 4
        c = c[:, None].expand(-1, z.shape[1], -1)
        spread = self.spread(torch.cat([z, c], -1).flatten(0, 1)).unflatten(1, (FEW, grid, grid))
        maps = torch.cat([c.flatten(0, 1).unflatten(1, (-1, grid, grid)), spread], 1)
        return self.decoder(maps).unflatten(0, z.shape[:2])

    def bound(self, x: Tensor, noise_c: Tensor, noise_z: Tensor) -> Bound:
        """The bound of sets x (B, S, 1, side, side) of binary pictures, with ε (B, c) and (B, S, z)."""
        h = self.embed(x)
        q_c = self.context(h)
        c = reparameterised(q_c, noise_c)
        q_z = self.posterior(h, c)
        z = reparameterised(q_z, noise_z)
        prior = Normal(*(part[:, None].expand_as(z) for part in self.prior(c)))
        return Bound(log_bernoulli(x, self.decode(z, c)), kl(q_z, prior), kl(q_c, standard_like(q_c)))

    def sample(self, x: Tensor, noise_c: Tensor, noise_z: Tensor) -> Tensor:
        """New pictures of the classes of sets x (B, S, 1, side, side), M of each: the pixels' probabilities
        (B, M, 1, side, side). c ~ q(c|D) with ε (B, c), then z ~ p(z|c) of its own set with ε (B, M, z)."""
        c = reparameterised(self.context(self.embed(x)), noise_c)
        prior = self.prior(c)
        z = reparameterised(Normal(*(part[:, None] for part in prior)), noise_z)
        return self.decode(z, c).sigmoid()
