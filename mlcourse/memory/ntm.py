"""A neural Turing machine: an LSTM that reads one row of a memory and writes another at every step.

Graves, Wayne, Danihelka: Neural Turing Machines, arXiv 1410.5401, 2014. With one head of each kind, a step is:

    h_t, c_t = LSTM([x_t, r_{t-1}])            the controller; a linear layer of h_t says what the heads do
    w^r_t, w^w_t from M_{t-1}                  addressing.py
    r_t = read M_{t-1} by w^r_t, then write M_t by w^w_t
    y_t = linear layer of [h_t, r_t]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.memory.addressing import Head, address, erase_add, read
from mlcourse.memory.layers import uniform_linear
from mlcourse.nets.lstm import LSTMCell

FILL = 0.1          # every number of a fresh memory
CLAMP = 20.0        # what the linear layer says to the heads stays within ±CLAMP
MOVES = 3


class State(NamedTuple):
    """memory M (B, N, W), what was read (B, W), the weights of both heads (B, N), and the LSTM's h and c (B, H)."""

    memory: Tensor
    read: Tensor
    w_read: Tensor
    w_write: Tensor
    h: Tensor
    c: Tensor


class Controls(NamedTuple):
    """What the controller says at one step: to the read head, to the write head, and what that erases, in (0, 1), and
    adds, in (-1, 1), both (B, W)."""

    read: Head
    write: Head
    erase: Tensor
    add: Tensor


class NTM(nn.Module):
    """The machine for sequences of `bits` numbers and a mark, with an LSTM of `hidden` units.

    slots, width: the rows N of the memory, and the numbers W in a row. No parameter depends on N, so a trained machine
    works with any number of rows.
    What the paper leaves open is set so that copying is learned in seconds: a fresh memory holds FILL everywhere and
    both heads start on row 0; key and added vector are tanh, the erased one σ; β = softplus with a bias of 2,
    γ = 1 + softplus, and the gate has a bias of -2.
    Raises ValueError for sizes below 1, and fewer than 3 slots: a shift has three places to go.
    """

    def __init__(self, bits: int = 8, slots: int = 32, width: int = 16, hidden: int = 64, seed: int = 0):
        super().__init__()
        if min(bits, width, hidden) < 1 or slots < MOVES:
            raise ValueError(f"an NTM needs at least 1 bit, number a row and unit, and {MOVES} slots, got {bits}, "
                             f"{width}, {hidden} and {slots}")
        self.config = {"bits": bits, "slots": slots, "width": width, "hidden": hidden, "seed": seed}
        self.slots, self.width = slots, width
        self.cell = LSTMCell(bits + 1 + width, hidden, seed)
        self.sizes = [width, 1, 1, MOVES, 1] * 2 + [width, width]
        generator = torch.Generator().manual_seed(seed + 1)
        self.heads = uniform_linear(hidden, sum(self.sizes), generator)
        self.out = uniform_linear(hidden + width, bits, generator)
        with torch.no_grad():
            for head in range(2):
                start = head * sum(self.sizes[:5]) + width
                self.heads.bias[start], self.heads.bias[start + 1] = 2.0, -2.0

    def start(self, batch: int, slots: int | None = None) -> State:
        """The state before the first step of so many sequences: nothing of an earlier one is in it. slots: rows where
        not `slots` of the machine."""
        rows = self.slots if slots is None else slots
        zeros = lambda *shape: self.out.weight.new_zeros(batch, *shape)
        first = zeros(rows)
        first[:, 0] = 1.0
        h, c = self.cell.start(zeros(1))
        return State(zeros(rows, self.width) + FILL, zeros(self.width), first, first, h, c)

    def control(self, x: Tensor, state: State) -> tuple[Controls, Tensor, Tensor]:
        """What the controller says on x_t (B, bits + 1) and r_{t-1}; and its h and c."""
        h, c = self.cell(torch.cat([x, state.read], -1), (state.h, state.c))
        said = self.heads(h).clamp(-CLAMP, CLAMP).split(self.sizes, -1)
        to_head = lambda key, beta, gate, moves, gamma: Head(key.tanh(), F.softplus(beta), gate.sigmoid(),
                                                             moves.softmax(-1), 1 + F.softplus(gamma))
        return Controls(to_head(*said[:5]), to_head(*said[5:10]), said[10].sigmoid(), said[11].tanh()), h, c

    def act(self, controls: Controls, state: State) -> State:
        """The state after both heads have addressed M_{t-1}, one has read it and the other written it. h and c stay."""
        w_read = address(state.memory, controls.read, state.w_read)
        w_write = address(state.memory, controls.write, state.w_write)
        memory = erase_add(state.memory, w_write, controls.erase, controls.add)
        return state._replace(memory=memory, read=read(state.memory, w_read), w_read=w_read, w_write=w_write)

    def forward(self, x: Tensor, slots: int | None = None) -> Tensor:
        """The logits y (T, B, bits) for sequences x (T, B, bits + 1)."""
        state, seen = self.start(x.shape[1], slots), []
        for x_t in x:
            controls, h, c = self.control(x_t, state)
            state = self.act(controls, state)._replace(h=h, c=c)
            seen.append(torch.cat([h, state.read], -1))
        return self.out(torch.stack(seen))      # all steps at once cost less than one after another


Change = Callable[[int, Controls, Tensor], tuple[Controls, Tensor]]


class Tape(NamedTuple):
    """A run of T steps: what the controller said, each (T, B, …); the memory (T, B, N, W) and the weights (T, B, N)
    after each step; the logits (T, B, bits)."""

    controls: Controls
    memory: Tensor
    w_read: Tensor
    w_write: Tensor
    logits: Tensor


@torch.no_grad()
def tape(ntm: NTM, x: Tensor, change: Change | None = None, slots: int | None = None) -> Tape:
    """A run on x (T, B, bits + 1), with all that happens in it.

    change: (t, controls, M_{t-1}) -> the two that step t goes on with; None leaves them as they are.
    """
    state, steps = ntm.start(x.shape[1], slots), []
    for t, x_t in enumerate(x):
        controls, h, c = ntm.control(x_t, state)
        if change is not None:
            controls, memory = change(t, controls, state.memory)
            state = state._replace(memory=memory)
        state = ntm.act(controls, state)._replace(h=h, c=c)
        steps.append((controls, state.memory, state.w_read, state.w_write, ntm.out(torch.cat([h, state.read], -1))))
    controls, *rest = zip(*steps, strict=True)
    heads = [Head(*map(torch.stack, zip(*each, strict=True))) for each in list(zip(*controls, strict=True))[:2]]
    vectors = [torch.stack(each) for each in list(zip(*controls, strict=True))[2:]]
    return Tape(Controls(*heads, *vectors), *map(torch.stack, rest))
