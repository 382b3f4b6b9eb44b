"""Episodes to look into, and what prototypes make of them."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from mlcourse.datasets import load_splits
from mlcourse.episode import Episode, EpisodeSampler, Splits
from mlcourse.lessons.l06_images.network import probabilities, prototypes, protonet
from mlcourse.learners.protonet import squared_distances

TRAINING, NEW = "training scripts", "new scripts"
SPLITS = {TRAINING: "train", NEW: "test"}
WAY, QUERY, SHOTS, EPISODES, LABELLINGS = 5, 3, 5, 40, 6


class Drawn(NamedTuple):
    """An episode, and the names of the classes behind its labels."""

    episode: Episode
    names: tuple[str, ...]


@cache
def splits() -> Splits:
    """The glyphs by script."""
    return load_splits("glyphs")


def draw(number: int, shot: int, split: str, labelling: int) -> Drawn:
    """Episode `number` of a split; of another `labelling` the same pictures, the labels dealt anew; with another `shot`
    the same queries."""
    domain = getattr(splits(), SPLITS[split])
    generator = torch.Generator().manual_seed(number)
    episode = first(EpisodeSampler(domain, WAY, SHOTS, QUERY).sample(1, generator).task(0), shot)
    dealt = torch.randperm(WAY, generator=torch.Generator().manual_seed(labelling)) if labelling else torch.arange(WAY)
    moved = episode._replace(support_y=dealt[episode.support_y], query_y=dealt[episode.query_y],
                             classes=episode.classes[dealt.argsort()])
    return Drawn(moved, tuple(short(domain.classes[int(c)]) for c in moved.classes))


def first(episode: Episode, shot: int) -> Episode:
    """The episode with the first `shot` support samples of each class."""
    y = episode.support_y
    kept = torch.cat([(y == c).nonzero()[:shot, 0] for c in range(WAY)])
    return episode._replace(support_x=episode.support_x[kept], support_y=y[kept])


def short(name: str) -> str:
    """A class's name as it fits under a picture: its script and the last word."""
    script, _, character = name.partition("/")
    return f"{script.split()[0]} {character.split()[-1].lower()}"


def answers(episode: Episode) -> dict[str, Tensor]:
    """The labels (WAY · QUERY,) that the nearest prototypes give to the queries: of bare pixels, and of the network's
    features."""
    x, y, asked = episode.support_x, episode.support_y, episode.query_x
    flat = torch.stack([x[y == c].flatten(1).mean(0) for c in range(WAY)])
    net = protonet().net
    return {"pixels": squared_distances(asked.flatten(1), flat).argmin(1),
            "network": probabilities(net, prototypes(net, x, y), asked).argmax(1)}
