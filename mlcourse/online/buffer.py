"""The task buffer B: the labelled samples of every task so far, apart by task."""

from __future__ import annotations

import torch
from torch import Tensor

Labelled = tuple[Tensor, Tensor]


class Buffer:
    """D_1, …, D_t. `len(buffer)` is t, and `buffer[i]` all samples of a task that have arrived: x (M, *D), y (M,)."""

    def __init__(self):
        self._tasks: list[Labelled | None] = []

    def begin(self) -> None:
        """A new task, of which nothing has arrived yet."""
        self._tasks.append(None)

    def add(self, x: Tensor, y: Tensor) -> None:
        """Samples of the current task. Raises ValueError before any task has begun, or for unequal numbers."""
        if not self._tasks:
            raise ValueError("no task has begun; call begin() before its samples arrive")
        if len(x) != len(y):
            raise ValueError(f"every sample needs a label, got {len(x)} samples and {len(y)} labels")
        before = self._tasks[-1]
        self._tasks[-1] = (x, y) if before is None else (torch.cat([before[0], x]), torch.cat([before[1], y]))

    def __len__(self) -> int:
        return len(self._tasks)

    def __getitem__(self, i: int) -> Labelled:
        if self._tasks[i] is None:
            raise ValueError("no sample of this task has arrived yet; add some first")
        return self._tasks[i]

    def everything(self) -> Labelled:
        """The samples of all tasks in one heap, those that came first in front."""
        x, y = zip(*self, strict=True)
        return torch.cat(x), torch.cat(y)
