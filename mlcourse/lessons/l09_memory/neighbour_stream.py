"""What the explorer of the stream shows: nearest neighbour on streams of characters from new scripts."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from mlcourse.datasets import load_splits
from mlcourse.domains import Domain
from mlcourse.lessons.l09_memory.embeddings import features
from mlcourse.memory import prepared

WAY, TIMES = 5, 6
STEPS = WAY * TIMES
CLASSES = 24            # of the test scripts, evenly spread: what is embedded within a second
CENTRED = 10            # training characters whose mean embedding is taken off
EPISODES = 200
SEED = 3


class Drawn(NamedTuple):
    """EPISODES streams, each with one before it of the same WAY classes. pictures (E, 2 · STEPS): which, the earlier
    stream first. classes (E, 2 · STEPS): in 0..WAY-1. bindings (E, 2, WAY): each class's label in either stream."""

    pictures: Tensor
    classes: Tensor
    bindings: Tensor


class Answers(NamedTuple):
    """pictures (STEPS,): of the stream that is shown; labels (STEPS,). said (STEPS,): the answers. source (STEPS,): the
    place of the nearest picture, below 0 in the earlier stream; None where nothing is known. accuracy (TIMES,): at each
    presentation, over all streams."""

    pictures: np.ndarray
    labels: np.ndarray
    said: np.ndarray
    source: tuple[int | None, ...]
    accuracy: np.ndarray


@cache
def characters() -> tuple[Tensor, Tensor]:
    """Pictures (CLASSES, 20, 28, 28) in [0, 1] and their embeddings (CLASSES, 20, D), by the shipped ProtoNet."""
    splits = load_splits("glyphs")
    centre = features(spread(splits.train, CENTRED)).mean((0, 1))
    some = spread(splits.test, CLASSES)
    images = some.images[some.labels.argsort(stable=True)].float() / 255
    return images.reshape(CLASSES, -1, *images.shape[-2:]), prepared(features(some), centre)


def spread(domain: Domain, count: int) -> Domain:
    """So many classes of a domain, evenly spread."""
    return domain.subset(range(0, len(domain.classes), len(domain.classes) // count)[:count])


@cache
def drawn() -> Drawn:
    """The streams."""
    generator = torch.Generator().manual_seed(SEED)
    random = lambda *shape: torch.rand(shape, generator=generator)
    each = characters()[0].shape[1]
    chosen = random(EPISODES, CLASSES).argsort(1)[:, :WAY]
    hands = random(EPISODES, WAY, each).argsort(2)[..., :2 * TIMES]
    pictures = (chosen[..., None] * each + hands).reshape(EPISODES, WAY, 2, TIMES).transpose(1, 2)
    classes = torch.arange(WAY)[:, None].expand(WAY, TIMES)
    order = random(EPISODES, 2, STEPS).argsort(2)
    dealt = lambda values: values.expand(EPISODES, 2, WAY, TIMES).flatten(2).gather(2, order).flatten(1)
    return Drawn(dealt(pictures), dealt(classes), random(EPISODES, 2, WAY).argsort(2))


@cache
def answers(late: int, emptied: bool, anew: bool) -> Answers:
    """late: by how many steps a label comes after its picture, 0 or 1. emptied: whether the memory is, before each
    stream. anew: whether each stream deals its labels anew."""
    streams, (pictures, z) = drawn(), characters()
    bindings = streams.bindings if anew else streams.bindings[:, :1].expand(-1, 2, -1)
    labels = torch.cat([bindings[:, i].gather(1, part) for i, part in enumerate(streams.classes.chunk(2, 1))], 1)
    x = z.flatten(0, 1)[streams.pictures]
    between = torch.cdist(x[:, STEPS:], x)
    place = torch.arange(2 * STEPS)
    known = place < torch.arange(STEPS, 2 * STEPS)[:, None] + 1 - late
    if emptied:
        known &= place >= STEPS
    nearest = between.masked_fill(~known, torch.inf).argmin(-1)
    said = labels.gather(1, nearest).where(known.any(-1), torch.tensor(0))
    labels = labels[:, STEPS:]
    right = (said == labels).double()
    which = torch.stack([(labels[:, :t + 1] == labels[:, t:t + 1]).sum(1) for t in range(STEPS)], 1)
    accuracy = [float(right[which == k].mean()) for k in range(1, TIMES + 1)]
    source = tuple(int(nearest[0, t]) - STEPS if known[t].any() else None for t in range(STEPS))
    shown = pictures.flatten(0, 1)[streams.pictures[0]].numpy()
    return Answers(shown, labels[0].numpy(), said[0].numpy(), source, np.array(accuracy))
