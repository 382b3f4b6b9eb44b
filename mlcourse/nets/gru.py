"""A gated recurrent unit for sequences of letters, written by hand: torch.vmap has no rule for torch's own."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class GRU(nn.Module):
    """A gated recurrent unit (Cho et al., EMNLP 2014) over sequences x (M, L, inputs): logits (M, way).

    From h = 0, with reset gate r, update gate z and candidate n,

        r, z = σ(W x + b + U h + c)          n = tanh(W x + b + r ∘ (U h + c))          h ← (1 - z) ∘ n + z ∘ h

    The candidate resets U h, as torch's does; the paper resets h. A step whose x is zero throughout is padding and
    leaves h as it is. The head sees the last h. `read` holds W and b, `recall` U and c, each with the rows of r, z and
    n in this order, which is torch's, drawn from U[-1/√width, 1/√width] with `seed`. way=0 leaves the head out: the
    network then returns its features (M, width). Raises ValueError for sizes below 1, and for samples of another shape.
    """

    norm = "none"                 # no statistics of a batch
    tasks_at_once = None

    def __init__(self, way: int, inputs: int, width: int = 64, seed: int = 0):
        super().__init__()
        if way < 0 or min(inputs, width) < 1:
            raise ValueError("sizes must be at least 1, and the way at least 0, got "
                             f"way {way}, inputs {inputs}, width {width}")
        self.config = {"net": "GRU", "way": way, "inputs": inputs, "width": width, "seed": seed}
        self.size = width
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.read, self.recall = nn.Linear(inputs, 3 * width), nn.Linear(width, 3 * width)
            for p in (*self.read.parameters(), *self.recall.parameters()):
                nn.init.uniform_(p, -width**-0.5, width**-0.5)
            if way:
                self.head = nn.Linear(width, way)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (M, way), or the features where there is no head."""
        h = self.features(x)
        return self.head(h) if "head" in self._modules else h

    def features(self, x: Tensor) -> Tensor:
        """What the head sees: h after the last step (M, width)."""
        if x.ndim != 3 or x.shape[2] != self.read.in_features:
            raise ValueError(f"this GRU reads sequences (M, L, {self.read.in_features}), got samples of shape "
                             f"{tuple(x.shape)}")
        h, reading, is_padding = x.new_zeros(len(x), self.size), self.read(x), (x == 0).all(2, keepdim=True)
        for t in range(x.shape[1]):
            h = torch.where(is_padding[:, t], h, self._after(reading[:, t], h))
        return h

    def step(self, x: Tensor, h: Tensor) -> Tensor:
        """The states (M, width) one step after h (M, width), padding or not: from x (M, inputs)."""
        return self._after(self.read(x), h)

    def _after(self, of_x: Tensor, h: Tensor) -> Tensor:
        """From W x + b, (M, 3 · width)."""
        of_h = self.recall(h)
        r, z = (of_x + of_h)[:, :2 * self.size].sigmoid().chunk(2, 1)
        n = (of_x[:, 2 * self.size:] + r * of_h[:, 2 * self.size:]).tanh()
        return (1 - z) * n + z * h
