"""Networks in layers that lesson 10 trains live, with and without manifold mixup, and their answers to mixtures."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from IPython.display import display
from torch import Tensor, nn

from mlcourse.datasets import load_splits
from mlcourse.widgets import Bar

CHARACTERS, TRAINED = 20, 5             # of new scripts, and how many drawings of each are trained on
BATCH, RATE, ALPHA = 50, 3e-3, 2.0      # pictures a step; Adam's rate; λ ~ Beta(ALPHA, ALPHA)
LAYERS = 3                              # what is mixed is the input of one of them
WIDTH, SHARES = 16, 21


class Drawings(NamedTuple):
    """Pictures (M, 1, 28, 28) in [0, 1] and their labels (M,), to train on and to judge on."""

    train_x: Tensor
    train_y: Tensor
    test_x: Tensor
    test_y: Tensor


@cache
def drawings() -> Drawings:
    """CHARACTERS of new scripts, evenly spaced; TRAINED drawings of each to train on, the others to judge on."""
    domain = load_splits("glyphs").test
    chosen = torch.linspace(0, len(domain.classes) - 1, CHARACTERS).long()
    x = torch.stack([domain.images[domain.labels == c] for c in chosen]).float() / 255
    y = torch.arange(CHARACTERS)[:, None].expand(x.shape[:2])
    part = lambda at: (x[:, at].flatten(0, 1), y[:, at].flatten())
    return Drawings(*part(slice(TRAINED)), *part(slice(TRAINED, None)))


class Layers(nn.ModuleList):
    """Three convolutions of stride 2 with ReLU, and a linear layer; each layer is a function, and so is the whole.

    seed: of the initial weights.
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


def trained(mixed_loss: Callable | None, steps: int, seed: int = 0) -> Layers:
    """A network after `steps` of Adam, with a bar; prints how often it is right on drawings that it has not seen.

    mixed_loss: as exercise 10.5 asks for; None: plain cross-entropy.
    """
    data, net, adam = drawings(), Layers(seed), None
    adam = torch.optim.Adam(net.parameters(), RATE)
    generator, draw = torch.Generator().manual_seed(seed), np.random.default_rng(seed)
    name = "mixed" if mixed_loss else "plain"
    bar = Bar(steps, name)
    display(bar)
    for _ in range(steps):
        batch = torch.randperm(len(data.train_y), generator=generator)[:BATCH]
        x, y = data.train_x[batch], data.train_y[batch]
        if mixed_loss:
            order = torch.randperm(BATCH, generator=generator)
            loss = mixed_loss(list(net), x, y, CHARACTERS, draw.beta(ALPHA, ALPHA), order, int(draw.integers(LAYERS)))
        else:
            loss = F.cross_entropy(net(x), y)
        adam.zero_grad()
        loss.backward()
        adam.step()
        bar({"loss": loss.item()})
    print(f"{name:6s} ≈{right(net):.1f} % right")
    return net


@torch.no_grad()
def right(net: Layers) -> float:
    """How often a network is right, in per cent, on drawings that it has not seen."""
    data = drawings()
    return 100 * float((net(data.test_x).argmax(1) == data.test_y).float().mean())
