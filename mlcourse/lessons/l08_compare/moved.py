"""A support drawing that is shifted, turned or thickened, and what a trained network makes of it."""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from mlcourse import checkpoint
from mlcourse.datasets import load_splits
from mlcourse.episode import Episode, EpisodeSampler
from mlcourse.learners import ProtoNet
from mlcourse.learners.protonet import squared_distances
from mlcourse.nets import Conv4
from mlcourse.system import paths

CHECKPOINT = paths.DATA / "checkpoints" / "protonet-glyphs.safetensors"
WAY, DRAWINGS, SEED = 5, 19, 11
SHIFT, TURN, THICKER = 4, 90, 1.0        # the most: pixels to the right, degrees, pixels around a stroke


class Seen(NamedTuple):
    """What is made of one support set. z (WAY, D): its features. probabilities (QUERIES, WAY): of the queries' classes.
    untrained, pixels (QUERIES,): the classes that are nearest in the features of the same network before training, and
    in pixels."""

    z: Tensor
    probabilities: Tensor
    untrained: Tensor
    pixels: Tensor


@cache
def protonet() -> ProtoNet:
    """The one that `mlcourse train protonet --domain glyphs --norm running --steps 400` made, in eval mode."""
    learner, _ = checkpoint.load(CHECKPOINT)
    return learner.eval()


@cache
def episode() -> Episode:
    """Five characters of new scripts: one labelled drawing of each, the other DRAWINGS as queries, sorted by label."""
    drawn = EpisodeSampler(load_splits("glyphs").test, WAY, 1, DRAWINGS).sample(1, torch.Generator().manual_seed(SEED))
    task = drawn.task(0)
    first, order = task.support_y.argsort(), task.query_y.argsort()
    return task._replace(support_x=task.support_x[first], support_y=task.support_y[first],
                         query_x=task.query_x[order], query_y=task.query_y[order])


def moved(x: Tensor, shift: float, turn: float, stroke: float) -> Tensor:
    """A drawing (1, side, side), turned by `turn` degrees against the clock, then shifted to the right by `shift`
    pixels; `stroke`, from 0 to 1, goes all the way to strokes that are thicker by a pixel on either side."""
    angle, side = math.radians(turn), x.shape[-1]
    cos, sin, by = math.cos(angle), math.sin(angle), 2 * shift / side
    place = F.affine_grid(torch.tensor([[[cos, -sin, -cos * by], [sin, cos, -sin * by]]]), (1, 1, side, side),
                          align_corners=False)
    at = F.grid_sample(x[None], place, align_corners=False)
    return torch.lerp(at, F.max_pool2d(at, 3, 1, 1), stroke)[0]


def support(which: int, shift: float, turn: float, stroke: float) -> Tensor:
    """The support drawings (WAY, 1, 28, 28), that of class `which` moved."""
    x = episode().support_x.clone()
    x[which] = moved(x[which], shift, turn, stroke)
    return x


@torch.no_grad()
def embed(x: Tensor) -> Tensor:
    """The network's features (M, D)."""
    learner = protonet()
    return learner.embed(x, learner.fixed_stats())


@cache
def untrained() -> Conv4:
    """The network of `protonet` with the weights that its training began with, and layer norm, as it has no running
    statistics yet."""
    config = {name: value for name, value in protonet().net.config.items() if name != "net"}
    return Conv4(**{**config, "norm": "layer"})


@cache
@torch.no_grad()
def before() -> Tensor:
    """The untrained network's features (WAY · DRAWINGS, D) of all queries."""
    return untrained().features(episode().query_x)


@cache
def queries() -> Tensor:
    """The features (WAY · DRAWINGS, D) of all queries."""
    return embed(episode().query_x)


@torch.no_grad()
def seen(x: Tensor) -> Seen:
    """What a support set (WAY, 1, 28, 28) makes of the queries."""
    z = embed(x)
    nearest = lambda asked, of: squared_distances(asked, of).argmin(1)
    return Seen(z, (-squared_distances(queries(), z)).softmax(1), nearest(before(), untrained().features(x)),
                nearest(episode().query_x.flatten(1), x.flatten(1)))


@cache
def at_first() -> Seen:
    """What the support set makes of the queries before anything is moved."""
    return seen(episode().support_x)


@cache
def axes() -> tuple[Tensor, Tensor]:
    """The middle (D,) of the queries' class means, and the two directions (D, 2) in which these lie furthest apart."""
    means = queries().view(WAY, DRAWINGS, -1).mean(1)
    middle = means.mean(0)
    directions = torch.linalg.svd(means - middle, full_matrices=False).Vh[:2]
    turned = directions * torch.sign(directions[torch.arange(2), directions.abs().argmax(1)])[:, None]
    return middle, turned.T
