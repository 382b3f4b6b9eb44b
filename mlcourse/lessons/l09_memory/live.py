"""What lesson 09 runs: streams of embedded characters, models a step at a time, and how often their answers are right."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mlcourse.datasets import load_splits
from mlcourse.domains import Domain
from mlcourse.lessons.l09_memory.embeddings import features
from mlcourse.memory import MANN, StreamLSTM, Streams, by_presentation, prepared
from mlcourse.memory.mann import MemoryState
from mlcourse.memory.stream import Stream

CLASSES = 40            # of either split whose pictures a lesson has time to embed
BATCH, BATCHES = 16, 40


def streams() -> tuple[Streams, Streams]:
    """Streams of 5 classes, 6 times each: of 40 training characters, and of 40 from new scripts. What is seen are the
    shipped ProtoNet's features, less the mean of the training ones, as directions of length 8."""
    splits = load_splits("glyphs")
    old, new = (features(some(domain)) for domain in (splits.train, splits.test))
    centre = old.mean((0, 1))
    return Streams(prepared(old, centre)), Streams(prepared(new, centre))


def some(domain: Domain) -> Domain:
    """CLASSES classes, evenly spread."""
    return domain.subset(range(0, len(domain.classes), len(domain.classes) // CLASSES)[:CLASSES])


class Machine:
    """A model a step at a time: start(B) is the state before a first step, and (x, state) -> (answer, next state).

    x (B, D + 5): what is seen, with the label beside it. memory: a state that a caller may keep here.
    """

    def __init__(self, model: MANN | StreamLSTM):
        self.model, self.memory = model, None
        self.memory = self.start(BATCH)

    def start(self, batch: int) -> MemoryState | Tensor:
        """The state before a first step; an LSTM's is one tensor, its h and c side by side."""
        if isinstance(self.model, MANN):
            return self.model.start(batch)
        return torch.cat(self.model.cell.start(torch.zeros(batch, 1)), -1)

    def __call__(self, x: Tensor, state: MemoryState | Tensor) -> tuple[Tensor, MemoryState | Tensor]:
        if isinstance(self.model, MANN):
            said, h, c = self.model.control(x, state)
            state = self.model.act(said, state)._replace(h=h, c=c)
            return self.model.out(torch.cat([h, state.read], -1)), state
        h, c = self.model.cell(x, state.chunk(2, -1))
        return self.model.out(h), torch.cat([h, c], -1)


@torch.no_grad()
def judged(episode: Callable, machine: Machine, of: Streams, seed: int = 0) -> Tensor:
    """The share of right answers at the 1st, 2nd, … presentation, (6,), over BATCHES batches of streams.

    episode: (machine, z, y) -> answers, as exercise 09.5 asks for.
    """
    generator = torch.Generator().manual_seed(seed)
    drawn = [of.sample(BATCH, generator) for _ in range(BATCHES)]
    said = [episode(machine, *each).argmax(-1) for each in drawn]
    return by_presentation(torch.cat(said, 1), Stream(*(torch.cat(parts, 1) for parts in zip(*drawn, strict=True))))


def percent(shares: Tensor) -> str:
    """Shares in per cent, each with ≈."""
    return ", ".join(f"≈{100 * share:.0f}" for share in shares.tolist())
