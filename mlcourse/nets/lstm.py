"""One step of an LSTM, written by hand: torch.vmap has no rule for torch's own."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class LSTMCell(nn.Module):
    """Hochreiter, Schmidhuber 1997, with the forget gate of Gers et al. 2000:

        i, f, o = σ(W [x, h] + b)          g = tanh(W [x, h] + b)          c ← f ∘ c + i ∘ g          h ← o ∘ tanh(c)

    x (…, inputs), h and c (…, hidden), any leading dimensions. `weight` (4 · hidden, inputs + hidden) and `bias` hold
    the rows of i, f, g and o in this order, which is torch's, drawn from U[-1/√hidden, 1/√hidden] with `seed`.
    """

    def __init__(self, inputs: int, hidden: int, seed: int = 0):
        super().__init__()
        self.hidden = hidden
        generator, most = torch.Generator().manual_seed(seed), hidden**-0.5
        draw = lambda *shape: nn.Parameter(most * (2 * torch.rand(shape, generator=generator) - 1))
        self.weight, self.bias = draw(4 * hidden, inputs + hidden), draw(4 * hidden)

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h, c = state
        gates = F.linear(torch.cat([x, h], -1), self.weight, self.bias)
        i, f, _, o = gates.sigmoid().chunk(4, -1)       # that of all rows at once costs less than of three parts
        c = f * c + i * gates.chunk(4, -1)[2].tanh()
        return o * c.tanh(), c

    def start(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """h and c before the first x: zeros."""
        return x.new_zeros(*x.shape[:-1], self.hidden), x.new_zeros(*x.shape[:-1], self.hidden)
