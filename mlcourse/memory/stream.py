"""A stream of labelled samples whose labels arrive a step late, and who guesses how well at which presentation.

Santoro, Bartunov, Botvinick, Wierstra, Lillicrap: Meta-Learning with Memory-Augmented Neural Networks, ICML 2016,
section 2.

    (x_1, -), (x_2, y_1), …, (x_T, y_{T-1})         at step t the label of x_t is to be said, and that before is shown

A model is any x (T, B, D), shown labels (T, B, N) -> logits (T, B, N) whose answer at step t depends on what came up
to t.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.losses import task_loss

OFFSET = 1


class Stream(NamedTuple):
    """B streams of T samples: x (T, B, D), and labels (T, B) in 0..N-1, bound to classes anew in each stream."""

    x: Tensor
    labels: Tensor

    def shown(self, way: int, offset: int = OFFSET) -> Tensor:
        """The labels as one-hot numbers (T, B, way), `offset` steps late, zeros before the first. An offset of 0 shows
        each label together with its sample, which gives the answer away."""
        late = F.one_hot(self.labels, way).to(self.x.dtype)
        return torch.cat([torch.zeros_like(late[:offset]), late[:len(late) - offset]])

    def presentations(self) -> Tensor:
        """Which presentation of its class every sample is, from 1 on: (T, B)."""
        same = self.labels.unsqueeze(1) == self.labels.unsqueeze(0)
        return torch.stack([same[t, :t + 1].sum(0) for t in range(len(same))])


class Streams:
    """Draws streams from the samples of some classes, (C, S, D): `way` classes, `times` different samples of each, in
    random order. Classes, their labels and the order are drawn for each stream alone.

    Raises ValueError where there are too few classes, or samples of each.
    """

    def __init__(self, samples: Tensor, way: int = 5, times: int = 6):
        classes, each = samples.shape[:2]
        if not 2 <= way <= classes or not 1 <= times <= each:
            raise ValueError(f"a stream of {way} classes, {times} times each, cannot be drawn from {classes} classes "
                             f"of {each} samples; ask for 2 to {classes} classes and 1 to {each} times")
        self.samples, self.way, self.times = samples, way, times

    def sample(self, batch: int, generator: torch.Generator) -> Stream:
        """So many streams."""
        classes, each = self.samples.shape[:2]
        chosen = torch.rand(batch, classes, generator=generator).topk(self.way, dim=1).indices
        which = torch.rand(batch, self.way, each, generator=generator).topk(self.times, dim=2).indices
        order = torch.rand(batch, self.way * self.times, generator=generator).argsort(1)
        x = self.samples[chosen[..., None], which].flatten(1, 2)
        labels = torch.arange(self.way).repeat_interleave(self.times).expand(batch, -1).gather(1, order)
        return Stream(x.gather(1, order[..., None].expand_as(x)).transpose(0, 1), labels.T)


def prepared(samples: Tensor, centre: Tensor) -> Tensor:
    """Embeddings (…, D) without the training classes' mean (D,), as directions of length √D: numbers of size 1. As unit
    vectors their numbers are so small that no network here gets beyond guessing."""
    return F.normalize(samples - centre, dim=-1) * samples.shape[-1] ** 0.5


def by_presentation(guessed: Tensor, stream: Stream) -> Tensor:
    """The share of right guesses (T, B) at the 1st, 2nd, … presentation: float64."""
    right, which = (guessed == stream.labels).double().flatten(), stream.presentations().flatten() - 1
    count = torch.bincount(which)
    return torch.zeros(len(count), dtype=torch.float64).index_add_(0, which, right) / count


def elimination_bound(way: int) -> float:
    """The best possible share of right guesses at first presentations, for who knows every class that came before and
    that this one is new: the k-th new class is guessed among the `way` + 1 - k labels that are left."""
    return sum(1 / left for left in range(1, way + 1)) / way


def nearest(stream: Stream) -> Tensor:
    """The control without learning: each sample gets the label of the nearest one before it, (T, B); the first, 0."""
    x = stream.x.transpose(0, 1)
    between = torch.cdist(x, x)
    later = torch.ones(between.shape[-2:], dtype=torch.bool).triu()
    guessed = stream.labels.T.gather(1, between.masked_fill(later, torch.inf).argmin(-1)).T.clone()
    guessed[0] = 0
    return guessed


def stream_loss(logits: Tensor, stream: Stream, first: bool = True) -> Tensor:
    """The mean cross-entropy over all samples; first=False leaves first presentations out: they are guessed."""
    kept = slice(None) if first else stream.presentations() > 1
    logits, labels = (logits.flatten(0, 1), stream.labels.flatten()) if first else (logits[kept], stream.labels[kept])
    return task_loss(logits, labels)


def train_stream(model: nn.Module, streams: Streams, updates: int, *, batch: int = 16, lr: float = 3e-3,
                 clip: float = 10.0, noise: float = 0.5, first: bool = True, offset: int = OFFSET,
                 seed: int = 0) -> Iterator[float]:
    """Train a model in place: Adam on `stream_loss` of fresh streams, the gradient's norm clipped, normal noise added
    to every number of x. Yields the loss of each update. Raises ValueError where a loss is not finite.
    """
    adam = torch.optim.Adam(model.parameters(), lr=lr)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(updates):
        stream = streams.sample(batch, generator)
        x = stream.x + noise * torch.randn(stream.x.shape, generator=generator)
        loss = stream_loss(model(x, stream.shown(streams.way, offset)), stream, first)
        if not loss.isfinite():
            raise ValueError(f"the loss is {loss.item()}; train with a lower rate than {lr}")
        adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), clip)
        adam.step()
        yield loss.item()


@torch.no_grad()
def guesses(model: nn.Module, stream: Stream, way: int, offset: int = OFFSET) -> Tensor:
    """What a model says to every sample, (T, B)."""
    return model(stream.x, stream.shown(way, offset)).argmax(-1)
