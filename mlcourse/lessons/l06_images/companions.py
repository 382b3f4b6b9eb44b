"""One query and the pictures that share its batch."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from mlcourse.datasets import load, load_splits
from mlcourse.episode import Episode, EpisodeSampler
from mlcourse.lessons.l06_images.network import probabilities, prototypes, protonet
from mlcourse.nets.norms import Stats, collected

WAY, QUERIES, MOST = 5, 10, 24
FIVE, ONE, NOISE, DIGITS = "five classes", "other class", "noise", "digits"
KINDS = (FIVE, ONE, NOISE, DIGITS)
SEED = 5


class Seen(NamedTuple):
    """What the network makes of a query in one batch. probabilities (WAY,): of its classes; mean, sd (C,): of each
    channel before the last norm."""

    probabilities: Tensor
    mean: Tensor
    sd: Tensor


@cache
def episode() -> Episode:
    """The one whose queries are asked: five new characters, one labelled drawing of each, the other 19 as queries."""
    sampler = EpisodeSampler(load_splits("glyphs").test, WAY, 1, 19)
    return sampler.sample(1, torch.Generator().manual_seed(SEED)).task(0)


@cache
def means() -> Tensor:
    """The prototypes (WAY, D)."""
    return prototypes(protonet().net, episode().support_x, episode().support_y)


@cache
def digits() -> Tensor:
    """Handwritten digits (MOST, 1, 28, 28)."""
    return load("digits").images[:MOST].float() / 255


def query(which: int) -> tuple[Tensor, int]:
    """Query `which` of QUERIES, (1, 1, 28, 28), and its label."""
    return episode().query_x[which:which + 1], int(episode().query_y[which])


def company(which: int, kind: str, count: int) -> Tensor:
    """`count` companions of a query, (count, 1, 28, 28): other queries of all five classes in turn, drawings of one
    class that is not its own, uniform noise, or handwritten digits."""
    task, (_, label) = episode(), query(which)
    if kind == NOISE:
        return torch.rand(MOST, 1, 28, 28, generator=torch.Generator().manual_seed(SEED))[:count]
    if kind == DIGITS:
        return digits()[:count]
    rest = torch.tensor([i for i in range(len(task.query_y)) if i != which])
    by_class = [rest[task.query_y[rest] == c] for c in range(WAY)]
    if kind == ONE:
        return task.query_x[by_class[(label + 1) % WAY].repeat(2)[:count]]
    turns = torch.stack([own[:MOST // WAY + 1] for own in by_class], 1).flatten()
    return task.query_x[turns[:count]]


@torch.no_grad()
def among(which: int, kind: str, count: int) -> Seen:
    """A query in a batch with `count` companions; alone with none."""
    net, at, batch = protonet().net, means(), torch.cat([query(which)[0], company(which, kind, count)])
    with collected() as stats:
        found = probabilities(net, at, batch)[0]
    return seen(found, stats)


@cache
def alone(which: int) -> Seen:
    """A query in a batch of its own."""
    return among(which, FIVE, 0)


@cache
@torch.no_grad()
def by_support(which: int) -> Seen:
    """A query, normalised by the statistics of the support set."""
    net = protonet().net
    stats = net.statistics(episode().support_x)
    return seen(probabilities(net, means(), query(which)[0], stats)[0], stats)


def seen(found: Tensor, stats: Stats) -> Seen:
    """Probabilities beside mean and deviation before the last norm."""
    mean, variance = stats[-1]
    return Seen(found, mean, variance.sqrt())
