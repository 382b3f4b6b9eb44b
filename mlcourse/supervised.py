"""A classifier of one domain in seconds: 16×16 pictures, their labels, no episodes."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from mlcourse.domains import Domain
from mlcourse.episode.across import pixels
from mlcourse.nets import Conv4
from mlcourse.system.machine import one_core
from mlcourse.train import step_generator

SIDE, WIDTH = 16, 16
STEPS, RATE = 200, 2e-3


def classifier(domain: Domain, steps: int = STEPS, seed: int = 0) -> nn.Module:
    """A classifier of a domain's 16×16 pictures, with layer norm, trained on its labels."""
    net = Conv4(len(domain.classes), WIDTH, "max", "layer", SIDE, seed)
    optimiser = torch.optim.Adam(net.parameters(), lr=RATE)
    with one_core():
        for step in range(steps):
            rows = torch.randint(len(domain.images), (64,), generator=step_generator(seed, 0, step))
            optimiser.zero_grad()
            F.cross_entropy(net(pixels(domain.images[rows])), domain.labels[rows]).backward()
            optimiser.step()
    return net


@torch.no_grad()
def accuracy(net: nn.Module, domain: Domain) -> float:
    """The share of a domain's pictures that a classifier names right."""
    return float((net(pixels(domain.images)).argmax(1) == domain.labels).float().mean())
