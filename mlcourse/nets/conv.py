"""The convolutional network of few-shot learning, for one task or several at once."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.nets import stacked, stacking
from mlcourse.nets.norms import NORMS, Norm, Stats, collected
from mlcourse.nets.params import Params
from mlcourse.nets.stacking import plain


POOLED = {"stride": 0, "max": 4, "early": 2}       # how many of the convolutions a 2×2 max-pooling follows


class Conv4(stacking.Stacking, nn.Module):
    """Four 3×3 convolutions of `width` filters, each with norm and ReLU, then a linear head for `way` classes.

    pool="stride" is the Omniglot network of Finn et al. 2017: stride 2 and a mean over the remaining positions.
    pool="max" is that of Vinyals et al. 2016 and Snell et al. 2017: stride 1, 2×2 max-pooling, flattened.
    pool="early" is that of Sung et al. 2018: like "max", but pooled after the first two convolutions alone. (Theirs
    have no padding, so that 28×28 pixels leave 5×5 positions; here 7×7.)
    Input (M, C, S, S) with C = `channels` and the picture's side S in pixels, output (M, way). way=0 leaves the head
    out: the network then returns its features. maps: (C, h, w), what they are the flattened maps of. norm: see `Norm`.
    A convolution has a bias only where no norm follows, because the norm would cancel it.
    Raises ValueError for an unknown pool or norm, for a side that cannot be halved as often as the network pools, and
    for samples that are not such pictures.
    """

    def __init__(self, way: int, width: int = 64, pool: str = "stride", norm: str = "batch", side: int = 28,
                 seed: int = 0, channels: int = 1):
        super().__init__()
        if pool not in POOLED:
            raise ValueError(f"pool must be {', '.join(map(repr, POOLED))}, got {pool!r}")
        if norm not in NORMS:
            raise ValueError(f"norm must be one of {', '.join(NORMS)}, got {norm!r}")
        self.pooled = POOLED[pool]
        least = 2 ** self.pooled
        if side < least:
            raise ValueError(f"pool={pool!r} needs pictures of at least {least}×{least} pixels, got side {side}")
        self.config = {"net": "Conv4", "way": way, "width": width, "pool": pool, "norm": norm, "side": side,
                       "seed": seed, "channels": channels}
        self.pool, self.norm, self.side, self.channels = pool, norm, side, channels
        self.stride = 2 if pool == "stride" else 1
        self.tasks_at_once = max(1, 4 * 28**2 // max(28, side)**2)
        widths = [channels] + [width] * 4
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.convs = nn.ModuleList(nn.Conv2d(i, o, 3, self.stride, padding=1, bias=norm == "none")
                                       for i, o in zip(widths[:-1], widths[1:], strict=True))
            for conv in self.convs:
                nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
            self.norms = nn.ModuleList(Norm(norm, width) for _ in self.convs)
            left = side // least if self.pooled else 1
            self.maps = (width, left, left)
            self.size = width * left ** 2
            if way:
                self.head = nn.Linear(self.size, way)
        if norm == "running":
            self.register_buffer("running_mean", torch.zeros(4, width))
            self.register_buffer("running_var", torch.ones(4, width))

    def forward(self, x: Tensor, stats: Stats | None = None) -> Tensor:
        """Logits (M, way). stats: (mean, variance) of each norm, each (width,); None takes the batch's own."""
        features = self.features(x, stats)
        return self.head(features) if "head" in self._modules else features

    def features(self, x: Tensor, stats: Stats | None = None) -> Tensor:
        """What the head sees: (M, size)."""
        self._check(x, f"(M, {self.channels}, S, S)")
        for i, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            x = self._activate(norm(conv(x), stats[i] if stats else None), i)
        return x.mean((2, 3)) if self.pool == "stride" else x.flatten(1)

    @property
    def layers(self) -> tuple[tuple[str, ...], ...]:
        """How the parameters' names begin, layer by layer from the input, without the head."""
        return tuple((f"convs.{i}.", f"norms.{i}.") for i in range(len(self.convs)))

    @property
    def stacks(self) -> bool:
        """Whether the norm and the layers are those that `stacked` knows."""
        built = ((3, 3), (self.stride, self.stride), (1, 1), (1, 1), 1, "zeros", self.norm == "none")
        is_built = lambda c: plain(c, nn.Conv2d) and built == (c.kernel_size, c.stride, c.padding, c.dilation, c.groups,
                                                               c.padding_mode, c.bias is not None)
        return (plain(self, type(self))
                and ("head" not in self._modules or plain(self.head, nn.Linear))
                and all(is_built(conv) for conv in self.convs._modules.values())
                and all(plain(norm, Norm) and norm.kind == self.norm for norm in self.norms._modules.values()))

    def stacked(self, params: Params, x: Tensor | stacked.Patches,
                stats: Stats | None = None) -> tuple[Tensor, Stats]:
        """`features` for T tasks at once and their `statistics`: parameters (T, …), x (T, M, C, S, S) or its `prepare`,
        features (T, M, size), statistics (T, width)."""
        return stacked.conv4(self, params, x if isinstance(x, stacked.Patches) else self.prepare(x), stats)

    def prepare(self, x: Tensor) -> stacked.Patches:
        """What `stacked` can reuse of pictures x (T, M, C, S, S): the patches that the first convolution sees."""
        self._check(x, f"(T, M, {self.channels}, S, S)")
        return stacked.patches(x, self.stride, self.norm)

    def statistics(self, x: Tensor) -> Stats:
        """The statistics that each norm takes of this batch; an empty tuple with norm "layer" or "none"."""
        with collected() as used:
            self.features(x)
        return tuple(used)

    def _check(self, x: Tensor, shape: str) -> None:
        """Raises ValueError for samples that are not pictures of this shape, or of a size that the head cannot read."""
        side = x.shape[-1] if x.ndim else 0
        if x.ndim != shape.count(",") + 1 or x.shape[-3:-1] != (self.channels, side) or side == 0:
            raise ValueError(f"Conv4 reads square pictures {shape}, got samples of shape {tuple(x.shape)}")
        if self.pooled and side // 2 ** self.pooled != self.maps[1]:
            raise ValueError(f"this Conv4 was made for pictures of side {self.side}, got side {side}; make it with "
                             f"side={side}")

    def _activate(self, x: Tensor, layer: int) -> Tensor:
        return F.relu(F.max_pool2d(x, 2) if layer < self.pooled else x)     # the same numbers, and fewer to take

    def running_stats(self) -> Stats:
        """The running statistics in the form that `forward` takes."""
        return tuple(zip(self.running_mean, self.running_var, strict=True))

    @torch.no_grad()
    def update_running(self, stats: Stats, momentum: float = 0.1) -> None:
        """Move the running statistics a share `momentum` of the way to these."""
        for i, (mean, var) in enumerate(stats):
            self.running_mean[i].lerp_(mean, momentum)
            self.running_var[i].lerp_(var, momentum)
