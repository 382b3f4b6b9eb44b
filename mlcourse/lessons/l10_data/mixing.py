"""Networks in layers that lesson 10 trains, with and without manifold mixup, and their answers to mixtures."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.lessons.l10_data.pictures import splits
from mlcourse.losses import mixup

CHARACTERS, DRAWINGS = 10, 20           # of new scripts, and how many drawings of each are trained on: all
BATCH, RATE, STEPS = 50, 3e-3, 300      # pictures a step; Adam's rate; steps
LAYERS = 3                              # the input of one of so many layers is mixed
WIDTH, SHARES = 16, 21                  # filters; values of λ between 0 and 1


class Drawings(NamedTuple):
    """Pictures x (M, 1, 28, 28) of 0 and 1, and their labels y (M,)."""

    x: Tensor
    y: Tensor


@cache
def drawings() -> Drawings:
    """All drawings of CHARACTERS of new scripts, evenly spaced."""
    domain = splits("glyphs").test
    chosen = torch.linspace(0, len(domain.classes) - 1, CHARACTERS).long()
    x = torch.stack([domain.images[domain.labels == c] for c in chosen]).float() / 255
    return Drawings(x.flatten(0, 1), torch.arange(CHARACTERS).repeat_interleave(DRAWINGS))


class Layers(nn.ModuleList):
    """Three convolutions of stride 2, each with layer norm and ReLU, and a linear layer.

    Each is a function, and so is the whole. seed: of the initial weights.
    """

    def __init__(self, seed: int = 0):
        block = lambda channels: nn.Sequential(nn.Conv2d(channels, WIDTH, 3, 2, 1), nn.GroupNorm(1, WIDTH), nn.ReLU())
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            super().__init__([block(1), block(WIDTH), block(WIDTH),
                              nn.Sequential(nn.Flatten(), nn.Linear(WIDTH * 16, CHARACTERS))])

    def forward(self, x: Tensor, first: int = 0, last: int | None = None) -> Tensor:
        """The layers from `first` up to `last`, which is left out; None: all that follow."""
        for layer in list(self)[first:last]:
            x = layer(x)
        return x


def training(net: Layers, loss_of: Callable, seed: int = 0) -> Iterator[float]:
    """Train a network in place by STEPS of Adam; yields the loss of each.

    loss_of: (layers, x, y, λ, order, layer) -> loss, `unmixed` or `mixed`, with λ uniform in [0, 1].
    """
    data, adam = drawings(), torch.optim.Adam(net.parameters(), RATE)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(STEPS):
        batch = torch.randperm(len(data.y), generator=generator)[:BATCH]
        order, lam = torch.randperm(BATCH, generator=generator), float(torch.rand((), generator=generator))
        layer = int(torch.randint(LAYERS, (), generator=generator))
        loss = loss_of(list(net), data.x[batch], data.y[batch], lam, order, layer)
        adam.zero_grad()
        loss.backward()
        adam.step()
        yield loss.item()


def unmixed(layers: list, x: Tensor, y: Tensor, *_) -> Tensor:
    """Plain cross-entropy, whatever would be mixed."""
    for layer in layers:
        x = layer(x)
    return F.cross_entropy(x, y)


def mixed(layers: list, x: Tensor, y: Tensor, lam: float, order: Tensor, at: int) -> Tensor:
    """The loss of manifold mixup: the input of layer `at` and the labels are mixed, in shares λ, with those of the rows
    `order`."""
    for i, layer in enumerate(layers):
        x = layer(mixup.mixed(x, lam, order) if i == at else x)
    return mixup.mixed_loss(x, y, lam, order)


class Pair(NamedTuple):
    """Two drawings of different characters: which of `drawings`, and their labels."""

    first: int
    second: int
    labels: tuple[int, int]


def pair(which: int) -> Pair:
    """Pair `which`, from 0: drawing `which` of a character and of the one three places on."""
    one, other = which % CHARACTERS, (which + 3) % CHARACTERS
    return Pair(one * DRAWINGS + which, other * DRAWINGS + which, (one, other))


@torch.no_grad()
def along(net: Layers, which: Pair, layer: int) -> np.ndarray:
    """The probabilities (SHARES, CHARACTERS) of the mixtures of a pair before layer `layer`, λ, the share of the first,
    from 0 to 1."""
    first, second = net(drawings().x[[which.first, which.second]], 0, layer)
    lam = torch.linspace(0, 1, SHARES).view(-1, *[1] * first.dim())
    return net(lam * first + (1 - lam) * second, layer).softmax(1).numpy()


@torch.no_grad()
def off_the_line(net: Layers) -> float:
    """How far the probability of the first lies from λ, a mean over LAYERS layers, ten pairs and all shares."""
    line = np.linspace(0, 1, SHARES)
    return float(np.mean([np.abs(along(net, pair(which), layer)[:, pair(which).labels[0]] - line)
                          for which in range(CHARACTERS) for layer in range(LAYERS)]))


@cache
def examples() -> tuple[Layers, Layers]:
    """Two networks for the explorer, trained without and with manifold mixup."""
    nets = Layers(), Layers()
    for net, loss_of in zip(nets, (unmixed, mixed), strict=True):
        deque(training(net, loss_of), maxlen=0)
    return nets
