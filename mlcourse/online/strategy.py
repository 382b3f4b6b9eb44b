"""The protocol of all strategies in a stream, and what several of them need.

                 keeps               trains                          answers for a task, given samples of it
    FTML         all samples         as they arrive: meta-updates    after gradient steps on them
    everything   all samples         as they arrive: one network     as it is
    fine-tune    all samples         as they arrive: one network     after gradient steps on them
    scratch      nothing             when asked, on them alone       with a network of their own
    GDumb        a balanced memory   when asked, on the memory       as it is, or after gradient steps on them
    random       two sums            when asked, in closed form      as it is, or with a head fitted to them alone
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor, nn

from mlcourse.losses import task_loss
from mlcourse.nets import Params, call, params_of

Predictor = Callable[[Tensor], Tensor]      # x (M, *D) -> logits (M, N), or values (M, 1)


class Strategy(ABC):
    """What a stream is met with. It is told when a task begins, and sees its samples part by part; of what is tested on
    it never sees a label."""

    def begin(self) -> None:
        """A new task begins."""

    @abstractmethod
    def see(self, x: Tensor, y: Tensor) -> None:
        """Samples of the current task arrive, x (M, *D) and y (M,)."""

    @abstractmethod
    def before(self) -> Predictor:
        """How it answers now, for whatever task, without adapting. Later training does not change the answer."""

    def after(self, x: Tensor, y: Tensor) -> Predictor:
        """How it answers for the task that these labelled samples are of, after adapting to them and to nothing else of
        that task; a strategy that does not adapt answers as it is. It changes nothing that the strategy keeps."""
        return self.before()


def predictor(net: nn.Module, params: Params | None = None) -> Predictor:
    """The network with these parameters, or a copy of its own as they are now, as a predictor."""
    fixed = {name: p.detach().clone() for name, p in (params or params_of(net)).items()}

    @torch.no_grad()
    def predict(x: Tensor) -> Tensor:
        return call(net, fixed, x)

    return predict


def adam(net: nn.Module, lr: float) -> torch.optim.Adam:
    """Adam on all parameters of the network, in one pass over them: these networks are small."""
    return torch.optim.Adam(net.parameters(), lr=lr, fused=True)


def fit(net: nn.Module, optimiser: torch.optim.Optimizer, x: Tensor, y: Tensor, steps: int, batch: int,
        generator: torch.Generator) -> None:
    """So many optimiser steps on the mean loss of `batch` different samples, drawn for each step, or of all where there
    are no more."""
    for _ in range(steps):
        rows = torch.randperm(len(x), generator=generator)[:batch]
        optimiser.zero_grad()
        task_loss(net(x[rows]), y[rows]).backward()
        optimiser.step()
