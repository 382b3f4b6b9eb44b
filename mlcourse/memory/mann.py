"""Memories that bind a label to a sample when it arrives, a step after it.

Santoro, Bartunov, Botvinick, Wierstra, Lillicrap: Meta-Learning with Memory-Augmented Neural Networks, ICML 2016,
section 3, with one read head:

    h_t = LSTM([x_t, y_{t-1}, r_{t-1}])             key k_t, added a_t and gate α from a linear layer of h_t
    w^r_t = content(M_{t-1}, k_t, β)                the paper has no β: see `addressing.content` for what follows
    w^w_t = σ(α) w^r_{t-1} + (1 - σ(α)) w^lu_{t-1}  write where was read last, or in the least-used row, cleared before
    M_t = M_{t-1} + w^w_t a_t                       the paper adds the key itself
    r_t = Σ_i w^r_t(i) M_t(i)                       logits from a linear layer of [h_t, r_t]
    u_t = 0.95 u_{t-1} + w^r_t + w^w_t              usage; w^lu_t is 1 in the row where it is lowest
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.memory.addressing import content, read
from mlcourse.memory.layers import uniform_linear
from mlcourse.nets.lstm import LSTMCell

DECAY = 0.95        # of the usage


class MemoryState(NamedTuple):
    """Memory (B, N, W), what was read (B, W), the read weights (B, N), usage (B, N), the key (B, W), and the LSTM's h
    and c (B, H)."""

    memory: Tensor
    read: Tensor
    w_read: Tensor
    usage: Tensor
    key: Tensor
    h: Tensor
    c: Tensor


class Said(NamedTuple):
    """What the controller says at one step: key (B, W), strength β (B, 1), gate σ(α) (B, 1), added vector (B, W)."""

    key: Tensor
    beta: Tensor | float
    gate: Tensor
    add: Tensor


class MANN(nn.Module):
    """The memory-augmented network for samples of `inputs` numbers and `way` labels.

    strength: whether the key has a learned strength β = softplus(·), which starts at about `bias`; without it β = 1,
    as the paper has it.
    Raises ValueError for sizes below 1, and a `way` or slots below 2.
    """

    def __init__(self, inputs: int, way: int = 5, slots: int = 32, width: int = 32, hidden: int = 128, *,
                 strength: bool = True, bias: float = 5.0, seed: int = 0):
        super().__init__()
        if min(inputs, width, hidden) < 1 or min(way, slots) < 2:
            raise ValueError("a memory needs at least 1 input, number a row and unit, and 2 labels and slots, got "
                             f"{inputs}, {width}, {hidden}, {way} and {slots}")
        self.config = {"inputs": inputs, "way": way, "slots": slots, "width": width, "hidden": hidden,
                       "strength": strength, "bias": bias, "seed": seed}
        self.slots, self.width, self.strength = slots, width, strength
        self.cell = LSTMCell(inputs + way + width, hidden, seed)
        generator = torch.Generator().manual_seed(seed + 1)
        self.sizes = [width, width, 1] + [1] * strength
        self.heads = uniform_linear(hidden, sum(self.sizes), generator)
        self.out = uniform_linear(hidden + width, way, generator)
        if strength:
            with torch.no_grad():
                self.heads.bias[-1] = bias

    def start(self, batch: int) -> MemoryState:
        """The state before the first sample: nothing of an earlier stream is in it."""
        zeros = lambda *shape: self.out.weight.new_zeros(batch, *shape)
        h, c = self.cell.start(zeros(1))
        return MemoryState(zeros(self.slots, self.width), zeros(self.width), zeros(self.slots), zeros(self.slots),
                           zeros(self.width), h, c)

    def control(self, x: Tensor, state: MemoryState) -> tuple[Said, Tensor, Tensor]:
        """What the controller says on a sample with the label shown beside it (B, inputs + way); and its h and c."""
        h, c = self.cell(torch.cat([x, state.read], -1), (state.h, state.c))
        key, add, gate, *beta = self.heads(h).split(self.sizes, -1)
        return Said(key.tanh(), F.softplus(beta[0]) if beta else 1.0, gate.sigmoid(), add.tanh()), h, c

    def act(self, said: Said, state: MemoryState) -> MemoryState:
        """The state after a step's addressing, writing and reading. h and c stay."""
        w_read = content(state.memory, said.key, said.beta)
        memory, w_write = self.write(said, said.add, state)
        return state._replace(memory=memory, read=read(memory, w_read), w_read=w_read, key=said.key,
                              usage=used(state.usage, w_read, w_write))

    def write(self, said: Said, row: Tensor, state: MemoryState) -> tuple[Tensor, Tensor]:
        """M_t, with `row` (B, ·) added by the write weights, and these."""
        least = least_used(state.usage)
        w_write = said.gate * state.w_read + (1 - said.gate) * least
        cleared = state.memory * (1 - least).unsqueeze(-1)
        return torch.baddbmm(cleared, w_write.unsqueeze(-1), row.unsqueeze(-2)), w_write

    def forward(self, x: Tensor, shown: Tensor) -> Tensor:
        """Logits (T, B, way) for streams x (T, B, inputs) and the labels shown beside them (T, B, way)."""
        state, seen = self.start(x.shape[1]), []
        for x_t in torch.cat([x, shown], -1):
            said, h, c = self.control(x_t, state)
            state = self.act(said, state)._replace(h=h, c=c)
            seen.append(torch.cat([h, state.read], -1))
        return self.out(torch.stack(seen))


class KeyValue(MANN):
    """The course's repair, not the paper's. A label arrives a step after its sample, so a row holds two halves: the key
    of the step before, and the added vector, which can know the label that belongs to that key. A step writes first,
    then the key is matched with the first halves, and the second halves are read.
    """

    def start(self, batch: int) -> MemoryState:
        """The state before the first sample."""
        state = super().start(batch)
        return state._replace(memory=torch.cat([state.memory, state.memory], -1))

    def act(self, said: Said, state: MemoryState) -> MemoryState:
        """The state after a step's writing, addressing and reading. h and c stay."""
        memory, w_write = self.write(said, torch.cat([state.key, said.add], -1), state)
        keys, values = memory.chunk(2, -1)
        w_read = content(keys, said.key, said.beta)
        return state._replace(memory=memory, read=read(values, w_read), w_read=w_read, key=said.key,
                              usage=used(state.usage, w_read, w_write))


class StreamLSTM(nn.Module):
    """The control: an LSTM of `hidden` units and a linear layer, with no memory but its state."""

    def __init__(self, inputs: int, way: int = 5, hidden: int = 128, seed: int = 0):
        super().__init__()
        self.config = {"inputs": inputs, "way": way, "hidden": hidden, "seed": seed}
        self.cell = LSTMCell(inputs + way, hidden, seed)
        self.out = uniform_linear(hidden, way, torch.Generator().manual_seed(seed + 1))

    def forward(self, x: Tensor, shown: Tensor) -> Tensor:
        """Logits (T, B, way) for streams x (T, B, inputs) and the labels shown beside them (T, B, way)."""
        state, seen = self.cell.start(x[0]), []
        for x_t in torch.cat([x, shown], -1):
            state = self.cell(x_t, state)
            seen.append(state[0])
        return self.out(torch.stack(seen))


@torch.no_grad()
def least_used(usage: Tensor) -> Tensor:
    """w^lu: 1 in the row of lowest usage (B, N), the first of several, 0 elsewhere."""
    return F.one_hot(usage.argmin(-1), usage.shape[-1]).to(usage.dtype)


@torch.no_grad()
def used(usage: Tensor, w_read: Tensor, w_write: Tensor) -> Tensor:
    """The usage after a step; only its order matters, so it carries no gradient."""
    return DECAY * usage + w_read + w_write
