"""What the explorer of the tape shows: one copy by the shipped machine, with some of its parts held."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from mlcourse.lessons.l09_memory import shipped
from mlcourse.memory import NTM, Controls, Head, copies, tape

LENGTHS = (2, 5, 10, 20, 40)
SEED = 9                # of the sequence, and of the noise in a damaged row


class Run(NamedTuple):
    """One copy of `length` items in T = 2 · length + 1 steps. wanted (length, 8): bits. logits (length, 8).
    w_read, w_write (T, N): the focus of both heads. erase, add (T, W). memory (T, N, W): after each step. damaged: the
    row that was damaged, or None."""

    wanted: np.ndarray
    logits: np.ndarray
    w_read: np.ndarray
    w_write: np.ndarray
    erase: np.ndarray
    add: np.ndarray
    memory: np.ndarray
    damaged: int | None

    @property
    def wrong(self) -> np.ndarray:
        """Where a bit that was said is wrong, (length, 8)."""
        return (self.logits > 0) != (self.wanted > 0.5)


@cache
def machine() -> NTM:
    """The shipped one."""
    return shipped.ntm()


@lru_cache(maxsize=32)
def run(length: int, rows: int, content: bool = True, shift: bool = True, sharpen: bool = True, item: int = 0) -> Run:
    """A copy. content, shift, sharpen: False holds the gate of both heads at 0, their moves at 0, γ at 1. item: from 1
    on, the row on which this item was written is overwritten with noise before it is recalled; 0: none."""
    x, y = copies(length, 1, machine().config["bits"], torch.Generator().manual_seed(SEED))
    row = int(run(length, rows, content, shift, sharpen).w_write[item - 1].argmax()) if item else None

    def change(t: int, controls: Controls, memory: Tensor) -> tuple[Controls, Tensor]:
        hold = lambda head: held(head, content, shift, sharpen)
        if t == length + 1 and row is not None:
            noise = torch.randn(memory.shape[-1], generator=torch.Generator().manual_seed(SEED))
            memory = memory.index_copy(1, torch.tensor([row]), noise[None, None])
        return controls._replace(read=hold(controls.read), write=hold(controls.write)), memory

    found = tape(machine(), x, change, rows)
    one = lambda part: part[:, 0].numpy()
    return Run(y[:, 0].numpy(), one(found.logits)[-length:], one(found.w_read), one(found.w_write),
               one(found.controls.erase), one(found.controls.add), one(found.memory), row)


def held(head: Head, content: bool, shift: bool, sharpen: bool) -> Head:
    """A head with its parts held, where they are not True."""
    if not content:
        head = head._replace(gate=torch.zeros_like(head.gate))
    if not shift:
        head = head._replace(moves=torch.tensor([0.0, 1.0, 0.0]).expand_as(head.moves))
    return head if sharpen else head._replace(gamma=torch.ones_like(head.gamma))
