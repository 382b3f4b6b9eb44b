"""A linear layer whose start depends on a generator alone."""

from __future__ import annotations

import torch
from torch import nn


def uniform_linear(inputs: int, outputs: int, generator: torch.Generator) -> nn.Linear:
    """A linear layer with weights and biases from U[-1/√inputs, 1/√inputs]."""
    layer = nn.utils.skip_init(nn.Linear, inputs, outputs)
    with torch.no_grad():
        for p in layer.parameters():
            p.uniform_(-inputs**-0.5, inputs**-0.5, generator=generator)
    return layer
