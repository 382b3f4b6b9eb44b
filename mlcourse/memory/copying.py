"""The copy task: see a sequence of random bits, then say it again without seeing it.

Graves, Wayne, Danihelka: Neural Turing Machines, arXiv 1410.5401, 2014, section 4.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.nets.lstm import LSTMCell

FRESH = 100         # sequences that a training is judged on


def copies(length: int, batch: int, bits: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """x (2·length + 1, batch, bits + 1) and y (length, batch, bits), which is to be said in the last `length` steps.

    x is the sequence, then a mark in the last channel, and zeros after it: what is to be said is nowhere in the input.
    Raises ValueError for numbers below 1.
    """
    if min(length, batch, bits) < 1:
        raise ValueError(f"a copy needs a length, a batch and bits of at least 1, got {length}, {batch} and {bits}")
    y = torch.randint(2, (length, batch, bits), generator=generator).float()
    x = torch.zeros(2 * length + 1, batch, bits + 1)
    x[:length, :, :bits] = y
    x[length, :, bits] = 1.0
    return x, y


def copy_loss(said: Tensor, y: Tensor) -> Tensor:
    """The mean cross-entropy of a bit: the last L of the logits (2L + 1, B, bits) against y (L, B, bits)."""
    return F.binary_cross_entropy_with_logits(said[-len(y):], y)


@torch.no_grad()
def wrong_bits(model: Callable[[Tensor], Tensor], length: int, bits: int, count: int = FRESH, seed: int = 0) -> float:
    """The mean number of wrong bits of a sequence, of its bits · length; half of them is chance.

    model: x -> logits, as an NTM, or `lambda x: ntm(x, slots=128)`.
    """
    x, y = copies(length, count, bits, torch.Generator().manual_seed(seed))
    return float(((model(x)[-length:] > 0) != (y > 0.5)).float().sum((0, 2)).mean())


def train_copy(model: nn.Module, bits: int, updates: int, *, longest: int = 10, batch: int = 16, lr: float = 3e-3,
               clip: float = 1.0, seed: int = 0) -> Iterator[float]:
    """Train a model to copy, in place: Adam on batches of sequences of one length each, drawn from 1 to `longest`, with
    the gradient's norm clipped. Yields the loss of each update; who has seen enough stops asking.

    Raises ValueError where a loss is not finite.
    """
    adam = torch.optim.Adam(model.parameters(), lr=lr)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(updates):
        length = int(torch.randint(1, longest + 1, (), generator=generator))
        x, y = copies(length, batch, bits, generator)
        loss = copy_loss(model(x), y)
        if not loss.isfinite():
            raise ValueError(f"the loss is {loss.item()}; train with a lower rate than {lr}")
        adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), clip)
        adam.step()
        yield loss.item()


class CopyLSTM(nn.Module):
    """The control: an LSTM of `hidden` units and a linear layer, with no memory but its state."""

    def __init__(self, bits: int = 8, hidden: int = 128, seed: int = 0):
        super().__init__()
        self.config = {"bits": bits, "hidden": hidden, "seed": seed}
        self.cell = LSTMCell(bits + 1, hidden, seed)
        most, generator = hidden**-0.5, torch.Generator().manual_seed(seed + 1)
        self.out = nn.Parameter(most * (2 * torch.rand(bits, hidden, generator=generator) - 1))

    def forward(self, x: Tensor) -> Tensor:
        """Logits (T, B, bits) for x (T, B, bits + 1)."""
        state, seen = self.cell.start(x[0]), []
        for x_t in x:
            state = self.cell(x_t, state)
            seen.append(state[0])
        return torch.stack(seen) @ self.out.mT
