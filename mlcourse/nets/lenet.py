"""LeNet, the network of the literature on adapting digits."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.nets.norms import NORMS, Norm, Stats, collected


class LeNet(nn.Module):
    """Two 5×5 convolutions, each with norm, 2×2 max-pooling and ReLU, a hidden layer, and a linear head for `way`
    classes; way=0 leaves the head out.

    width: filters of the first convolution; the second has 2.5 times as many, the hidden layer 25 times. LeCun, Bottou,
    Bengio and Haffner, 1998, in the form that Ganin et al. (DANN, 2016) and Liang et al. (SHOT, 2020) adapt. Input
    (M, channels, S, S) with S ≥ 4, output (M, way). norm: as in `Conv4`, but not "running". Deviation: the convolutions
    pad, so that small pictures keep their edges.
    Raises ValueError for an unknown norm, a side below 4 and samples that are not such pictures.
    """

    def __init__(self, way: int, width: int = 20, norm: str = "batch", side: int = 28, channels: int = 1,
                 seed: int = 0):
        super().__init__()
        if norm not in NORMS or norm == "running":
            raise ValueError(f"norm must be one of {', '.join(n for n in NORMS if n != 'running')}, got {norm!r}")
        if side < 4:
            raise ValueError(f"LeNet halves a picture twice, so it needs at least 4×4 pixels, got side {side}")
        if width < 2 or width % 2:
            raise ValueError("width must be even, for a layer of 2.5 times as many filters, and at least 2, got "
                             f"{width}")
        self.config = {"net": "LeNet", "way": way, "width": width, "norm": norm, "side": side, "channels": channels,
                       "seed": seed}
        self.norm, self.side, self.channels = norm, side, channels
        self.tasks_at_once = 1
        second, self.size = 5 * width // 2, 25 * width
        biased = norm == "none"
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.convs = nn.ModuleList([nn.Conv2d(channels, width, 5, padding=2, bias=biased),
                                        nn.Conv2d(width, second, 5, padding=2, bias=biased)])
            self.hidden = nn.Linear(second * (side // 4) ** 2, self.size, bias=biased)
            self.norms = nn.ModuleList(Norm(norm, size) for size in (width, second, self.size))
            if way:
                self.head = nn.Linear(self.size, way)

    def forward(self, x: Tensor, stats: Stats | None = None) -> Tensor:
        """Logits (M, way). stats: (mean, variance) of each of the three norms; None takes the batch's own."""
        z = self.features(x, stats)
        return self.head(z) if "head" in self._modules else z

    def features(self, x: Tensor, stats: Stats | None = None) -> Tensor:
        """What the head sees: (M, size)."""
        if x.ndim != 4 or x.shape[1:] != (self.channels, self.side, self.side):
            raise ValueError(f"this LeNet reads pictures (M, {self.channels}, {self.side}, {self.side}), got samples "
                             f"of shape {tuple(x.shape)}; make it with side= and channels=")
        own = stats or [None] * 3
        for conv, norm, each in zip(self.convs, self.norms, own):           # the third is that of the hidden layer
            x = F.relu(F.max_pool2d(norm(conv(x), each), 2))                # ReLU then pooling gives the same
        z = self.hidden(x.flatten(1))[..., None, None]                      # a norm reads channels and positions
        return F.relu(self.norms[2](z, own[2])).flatten(1)

    @property
    def layers(self) -> tuple[tuple[str, ...], ...]:
        """How the parameters' names begin, layer by layer from the input, without the head."""
        return ("convs.0.", "norms.0."), ("convs.1.", "norms.1."), ("hidden.", "norms.2.")

    def statistics(self, x: Tensor) -> Stats:
        """The statistics that each norm takes of this batch; an empty tuple with norm "layer" or "none"."""
        with collected() as used:
            self.features(x)
        return tuple(used)
