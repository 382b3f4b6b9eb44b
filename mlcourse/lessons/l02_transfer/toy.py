"""A network small enough to watch what training moves in it: two blocks with batch norm, and a head."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def toy(seed: int) -> nn.Sequential:
    """Two blocks with batch norm and a head, whose statistics differ from those of `toy_batches`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        block = lambda i, o: nn.Sequential(nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU())
        return nn.Sequential(block(1, 3), block(3, 4), nn.Sequential(nn.Flatten(), nn.Linear(64, 2))).double()


def toy_batches(seed: int) -> list[tuple[Tensor, Tensor]]:
    """Three batches of six pictures 4×4 of two classes."""
    generator = torch.Generator().manual_seed(seed)
    return [(2 + 3 * torch.randn(6, 1, 4, 4, generator=generator, dtype=torch.float64), torch.arange(6) % 2)
            for _ in range(3)]
