"""The parameters of a network by name."""

from __future__ import annotations

from torch import Tensor, nn

Params = dict[str, Tensor]


def params_of(net: nn.Module) -> Params:
    """The network's own parameters by name: θ."""
    return dict(net.named_parameters())
