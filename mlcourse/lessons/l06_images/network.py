"""The small ProtoNet that the explorers of lesson 06 look into, and whose statistics may normalise what it embeds."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from mlcourse import checkpoint
from mlcourse.learners import ProtoNet
from mlcourse.learners.protonet import squared_distances
from mlcourse.nets import Conv4
from mlcourse.nets.norms import Stats
from mlcourse.system import paths

CHECKPOINT = paths.DATA / "checkpoints" / "protonet-glyphs-batch.safetensors"


@cache
def protonet() -> ProtoNet:
    """The one that `mlcourse train protonet --domain glyphs --norm batch --width 16 --steps 300` made, in eval mode."""
    learner, _ = checkpoint.load(CHECKPOINT)
    return learner.eval()


@torch.no_grad()
def prototypes(net: Conv4, support_x: Tensor, support_y: Tensor) -> Tensor:
    """The class means (N, D) of the support set's features, normalised by its own statistics."""
    z = net.features(support_x)
    return torch.stack([z[support_y == c].mean(0) for c in range(int(support_y.max()) + 1)])


@torch.no_grad()
def probabilities(net: Conv4, means: Tensor, x: Tensor, stats: Stats | None = None) -> Tensor:
    """The class probabilities (M, N) of pictures x, by their squared distances to the means (N, D); stats: those that
    normalise x, None for x's own."""
    return (-squared_distances(net.features(x, stats), means)).softmax(1)
