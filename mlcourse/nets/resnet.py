"""The residual network of few-shot learning."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.nets.norms import NORMS, Norm, Stats, collected

WIDTHS = (1, 2.5, 5, 10)            # of the four blocks, in multiples of the first
SLOPE = 0.1                         # of the leaky ReLU


class Block(nn.Module):
    """Three 3×3 convolutions with norms, beside a 1×1 convolution with its own; their sum is halved by max-pooling."""

    def __init__(self, inside: int, outside: int, norm: str):
        super().__init__()
        conv = lambda i, size: nn.Conv2d(i, outside, size, padding=size // 2, bias=norm == "none")
        self.convs = nn.ModuleList([conv(inside, 3), conv(outside, 3), conv(outside, 3), conv(inside, 1)])
        self.norms = nn.ModuleList(Norm(norm, outside) for _ in self.convs)
        for each in self.convs:
            nn.init.kaiming_normal_(each.weight, a=SLOPE, mode="fan_out", nonlinearity="leaky_relu")

    def forward(self, x: Tensor, stats: list) -> Tensor:
        """(M, I, H, W) → (M, O, H/2, W/2), rounded down; stats: a (mean, variance) or None for each norm."""
        *body, beside = [lambda x, conv=conv, norm=norm, own=own: norm(conv(x), own)
                         for conv, norm, own in zip(self.convs, self.norms, stats, strict=True)]
        z = body[2](F.leaky_relu(body[1](F.leaky_relu(body[0](x), SLOPE)), SLOPE))
        return F.max_pool2d(F.leaky_relu(z + beside(x), SLOPE), 2)


class ResNet12(nn.Module):
    """ResNet-12 (Oreshkin et al., TADAM, 2018; Lee et al., MetaOptNet, 2019): four residual blocks, then the mean over
    the remaining positions and a linear head for `way` classes; way=0 leaves the head out.

    width: filters of the first block; the others have 2.5, 5 and 10 times as many. The papers have 64, which is twelve
    million weights and work for a GPU; 16, the default, learns on a CPU. Input (M, channels, S, S) with S ≥ 16, output
    (M, way). norm: as in `Conv4`. Deviation from the papers: no DropBlock and no dropout.
    Raises ValueError for an unknown norm, a side below 16 and samples that are not such pictures.
    """

    def __init__(self, way: int, width: int = 16, norm: str = "batch", side: int = 28, channels: int = 1,
                 seed: int = 0):
        super().__init__()
        if norm not in NORMS:
            raise ValueError(f"norm must be one of {', '.join(NORMS)}, got {norm!r}")
        if side < 16:
            raise ValueError(f"ResNet12 halves a picture four times, so it needs at least 16×16 pixels, got side "
                             f"{side}")
        if width < 2 or width % 2:
            raise ValueError("width must be even, for blocks of 2.5 times as many filters, and at least 2, got "
                             f"{width}")
        self.config = {"net": "ResNet12", "way": way, "width": width, "norm": norm, "side": side, "channels": channels,
                       "seed": seed}
        self.norm, self.side, self.channels = norm, side, channels
        self.tasks_at_once = 1
        widths = [channels, *(int(width * factor) for factor in WIDTHS)]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.blocks = nn.ModuleList(Block(i, o, norm) for i, o in zip(widths[:-1], widths[1:], strict=True))
            self.size = widths[-1]
            if way:
                self.head = nn.Linear(self.size, way)
        if norm == "running":
            for i, layer in enumerate(self._norms()):
                self.register_buffer(f"running_mean{i}", torch.zeros_like(layer.gain))
                self.register_buffer(f"running_var{i}", torch.ones_like(layer.gain))

    def forward(self, x: Tensor, stats: Stats | None = None) -> Tensor:
        """Logits (M, way). stats: (mean, variance) of each of the 16 norms; None takes the batch's own."""
        z = self.features(x, stats)
        return self.head(z) if "head" in self._modules else z

    def features(self, x: Tensor, stats: Stats | None = None) -> Tensor:
        """What the head sees: (M, size)."""
        side = x.shape[-1] if x.ndim else 0
        if x.ndim != 4 or x.shape[1:3] != (self.channels, side) or side < 16:
            raise ValueError(f"this ResNet12 reads square pictures (M, {self.channels}, S, S) of at least 16×16 "
                             f"pixels, got samples of shape {tuple(x.shape)}")
        each = iter(stats or [None] * len(self._norms()))
        for block in self.blocks:
            x = block(x, [next(each) for _ in block.norms])
        return x.mean((2, 3))

    @property
    def layers(self) -> tuple[tuple[str, ...], ...]:
        """How the parameters' names begin, block by block from the input, without the head."""
        return tuple((f"blocks.{i}.",) for i in range(len(self.blocks)))

    def statistics(self, x: Tensor) -> Stats:
        """The statistics that each norm takes of this batch; an empty tuple with norm "layer" or "none"."""
        with collected() as used:
            self.features(x)
        return tuple(used)

    def running_stats(self) -> Stats:
        """The running statistics in the form that `forward` takes."""
        return tuple((getattr(self, f"running_mean{i}"), getattr(self, f"running_var{i}"))
                     for i in range(len(self._norms())))

    @torch.no_grad()
    def update_running(self, stats: Stats, momentum: float = 0.1) -> None:
        """Move the running statistics a share `momentum` of the way to these."""
        for own, seen in zip(self.running_stats(), stats, strict=True):
            for mine, its in zip(own, seen, strict=True):
                mine.lerp_(its, momentum)

    def _norms(self) -> list[Norm]:
        return [norm for block in self.blocks for norm in block.norms]
