"""Networks by their `config`, as checkpoints describe them."""

from __future__ import annotations

from torch import nn

from mlcourse.nets.conv import Conv4
from mlcourse.nets.gru import GRU
from mlcourse.nets.lenet import LeNet
from mlcourse.nets.mlp import MLP
from mlcourse.nets.resnet import ResNet12
from mlcourse.nets.sequence import StrokeNet, Transformer


def build_net(config: dict) -> nn.Module:
    """The network that a checkpoint's card describes (its `config`)."""
    arguments = dict(config)
    kinds = {"MLP": MLP, "Conv4": Conv4, "StrokeNet": StrokeNet, "Transformer": Transformer,
             "ResNet12": ResNet12, "LeNet": LeNet, "GRU": GRU}
    kind = arguments.pop("net", None)
    if kind not in kinds:
        raise ValueError(f"unknown network {kind!r}; known are {', '.join(kinds)}")
    return kinds[kind](**arguments)
