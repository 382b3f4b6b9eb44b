"""A fully connected network, for one task or several at once."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.nets import stacked, stacking
from mlcourse.nets.norms import Norm, Stats, collected
from mlcourse.nets.params import Params
from mlcourse.nets.stacking import plain


class MLP(stacking.Stacking, nn.Module):
    """A fully connected network with ReLU between its layers; (1, 40, 40, 1) is the sinusoid network of
    Finn et al. 2017. Input (M, *D) is flattened to (M, sizes[0]); output (M, sizes[-1]).

    The last layer is called `head`. Initialised by torch's default from `seed`. norm="batch" puts batch normalisation
    before each ReLU, as the fully connected Omniglot network of that paper has, (784, 256, 128, 64, 64, 5).
    """

    tasks_at_once = None

    def __init__(self, sizes: Sequence[int] = (1, 40, 40, 1), norm: str = "none", seed: int = 0):
        super().__init__()
        if len(sizes) < 2 or min(sizes) < 1:
            raise ValueError(f"an MLP needs at least an input and an output size, all positive, got {tuple(sizes)}")
        if norm not in ("none", "batch"):
            raise ValueError(f"norm of an MLP must be 'none' or 'batch', got {norm!r}; Conv4 has the others")
        self.config = {"net": "MLP", "sizes": list(sizes), "norm": norm, "seed": seed}
        self.norm, self.size = norm, sizes[-2]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.body = nn.ModuleList(nn.Linear(i, o, bias=norm == "none")
                                      for i, o in zip(sizes[:-2], sizes[1:-1], strict=True))
            self.head = nn.Linear(sizes[-2], sizes[-1])
            self.norms = nn.ModuleList(Norm(norm, size) for size in sizes[1:-1])

    def forward(self, x: Tensor, stats: Stats | None = None) -> Tensor:
        """Outputs (M, sizes[-1]). stats: (mean, variance) of each norm, each (size,); None takes the batch's own."""
        return self.head(self.features(x, stats))

    def features(self, x: Tensor, stats: Stats | None = None) -> Tensor:
        """What the head sees: (M, sizes[-2])."""
        x = x.flatten(1)
        for i, (layer, norm) in enumerate(zip(self.body, self.norms, strict=True)):
            x = F.relu(norm(layer(x)[..., None, None], stats[i] if stats else None)[..., 0, 0])
        return x

    def statistics(self, x: Tensor) -> Stats:
        """The statistics that each norm takes of this batch; an empty tuple without norms."""
        with collected() as used:
            self.features(x)
        return tuple(used)

    @property
    def layers(self) -> tuple[tuple[str, ...], ...]:
        """How the parameters' names begin, layer by layer from the input, without the head."""
        return tuple((f"body.{i}.", f"norms.{i}.") for i in range(len(self.body)))

    @property
    def stacks(self) -> bool:
        """Whether the layers are those that `stacked` knows."""
        return (plain(self, type(self)) and plain(self.head, nn.Linear)
                and all(plain(layer, nn.Linear) for layer in self.body._modules.values())
                and all(plain(norm, Norm) and norm.kind == self.norm for norm in self.norms._modules.values()))

    def stacked(self, params: Params, x: Tensor, stats: Stats | None = None) -> tuple[Tensor, Stats]:
        """`features` for T tasks at once and their `statistics`: parameters (T, …), x (T, M, *D), features
        (T, M, size), statistics (T, size of the layer)."""
        return stacked.mlp(self, params, x, stats)

    def prepare(self, x: Tensor) -> Tensor:
        """What `stacked` can reuse of x."""
        return x
