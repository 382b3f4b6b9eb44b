"""The parameters of a network by name."""

from __future__ import annotations

from torch import Tensor, nn

Params = dict[str, Tensor]


def params_of(net: nn.Module) -> Params:
    """The network's own parameters by name: θ."""
    return dict(net.named_parameters())


def trainable(module: nn.Module) -> Params:
    """The parameters of a module by name that are not frozen (requires_grad)."""
    return {name: p for name, p in module.named_parameters() if p.requires_grad}
