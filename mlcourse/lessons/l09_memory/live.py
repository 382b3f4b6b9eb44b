"""What lesson 09 runs: streams of embedded characters, models a step at a time, and how often they are right."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from IPython.display import display
from torch import Tensor

from mlcourse.datasets import load_splits
from mlcourse.lessons.l09_memory.embeddings import features
from mlcourse.lessons.l09_memory.neighbour_stream import spread
from mlcourse.memory import (MANN, NTM, StreamLSTM, Streams, by_presentation, prepared, train_copy, wrong_bits)
from mlcourse.memory.mann import MemoryState
from mlcourse.memory.stream import Stream
from mlcourse.widgets import Bar

CLASSES = 40            # of either split whose pictures a lesson has time to embed
BATCH, BATCHES = 16, 40


def streams() -> tuple[Streams, Streams]:
    """Streams of 5 classes, 6 times each: of 40 training characters, and of 40 from new scripts. What is seen are the
    shipped ProtoNet's features, less the mean of the training ones, as directions of length 8."""
    splits = load_splits("glyphs")
    old, new = (features(spread(domain, CLASSES)) for domain in (splits.train, splits.test))
    centre = old.mean((0, 1))
    return Streams(prepared(old, centre)), Streams(prepared(new, centre))




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


def copying(machine: NTM, updates: int) -> None:
    """Train a machine, in place, to copy 1 to 10 items of 8 bits, with a bar; prints how many bits of 10 are wrong."""
    bar = Bar(updates, "your machine")
    display(bar)
    for loss in train_copy(machine, bits=8, updates=updates, longest=10, seed=machine.config["seed"]):
        bar({"loss": loss})
    print(f"10 items: ≈{wrong_bits(machine, 10, bits=8):.1f} of 80 bits wrong")


def trained(model: MANN | StreamLSTM, episode: Callable, of: tuple[Streams, Streams], updates: int) -> None:
    """Train a model, in place, on streams of the first of `of`, with a bar; prints its last loss and how often it is
    right on streams of the second.

    episode: (machine, z, y) -> answers (T, B, 5), of which the cross-entropy is the loss. z has normal noise, so that
    few characters are not learned by heart.
    """
    machine, adam = Machine(model), torch.optim.Adam(model.parameters(), lr=3e-3)
    generator, bar = torch.Generator().manual_seed(0), Bar(updates, type(model).__name__)
    display(bar)
    for _ in range(updates):
        z, y = of[0].sample(BATCH, generator)
        z = z + 0.5 * torch.randn(z.shape, generator=generator)
        loss = F.cross_entropy(episode(machine, z, y).flatten(0, 1), y.flatten())
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10)
        adam.step()
        bar({"loss": loss.item()})
    shares = ", ".join(f"≈{100 * share:.0f}" for share in judged(episode, machine, of[1]).tolist())
    print(f"loss ≈{loss.item():.2f}; new scripts, % right by presentation: {shares}")
