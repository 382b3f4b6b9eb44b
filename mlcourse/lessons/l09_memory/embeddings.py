"""What the streams of lesson 09 are made of: glyphs as the shipped ProtoNet sees them."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from mlcourse import checkpoint
from mlcourse.datasets import load_splits
from mlcourse.domains import Domain
from mlcourse.memory import prepared
from mlcourse.system import paths

PROTONET = "protonet-glyphs"        # learned from the training scripts alone


@torch.no_grad()
def features(domain: Domain) -> Tensor:
    """The shipped ProtoNet's features of a domain's pictures by class: (C, S, 64). Every class needs equally many."""
    learner, _ = checkpoint.load(paths.DATA / "checkpoints" / f"{PROTONET}.safetensors")
    images = domain.images[domain.labels.argsort(stable=True)]
    z = [learner.embed(part.float() / 255, learner.fixed_stats()) for part in images.split(200)]
    return torch.cat(z).unflatten(0, (len(domain.classes), -1))


@cache
def of_split(split: str) -> Tensor:
    """The features of all glyphs of a split, "train", "val" or "test"."""
    return features(getattr(load_splits("glyphs"), split))


def embedded(split: str) -> Tensor:
    """The same as streams show them: less the mean of the training scripts' features, as directions of length 8."""
    return prepared(of_split(split), of_split("train").mean((0, 1)))
