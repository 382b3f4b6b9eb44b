"""The norms of the course, each by its name: whose statistics normalise."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

NORMS = ("batch", "support", "running", "layer", "none")
Stats = tuple[tuple[Tensor, Tensor], ...]


class Norm(nn.Module):
    """The normalisation after a convolution, by name. x has the shape (M, C, H, W).

    Raises ValueError where statistics would be those of a single value.

    batch: statistics of whatever is in the batch (a prediction then depends on the other queries: transductive).
    support: statistics of the support set, handed in when predicting.
    running: statistics of the batch in training, their running mean (kept by train.py) when predicting.
    layer: statistics of each sample over all channels. none: nothing.
    """

    def __init__(self, kind: str, channels: int):
        super().__init__()
        self.kind = kind
        if kind != "none":
            self.gain = nn.Parameter(torch.ones(channels))
            self.shift = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor, stats: tuple[Tensor, Tensor] | None) -> Tensor:
        """The normalised x; `stats`: the (mean, variance) to use, None for the batch's own."""
        if self.kind == "none":
            return x
        if self.kind == "layer":
            check_values(True, x.shape[1:].numel())
            return F.group_norm(x, 1, self.gain, self.shift)
        if stats is None:
            check_values(False, len(x) * x.shape[2:].numel())
            if _collector.found is not None:
                _collector.found.append(moments(x))
            return _batch_norm(x, self.gain, self.shift)
        mean, var = stats
        scale = self.gain * torch.rsqrt(var + 1e-5)
        return x * scale.view(1, -1, 1, 1) + (self.shift - mean * scale).view(1, -1, 1, 1)


def _batch_norm(x: Tensor, gain: Tensor, shift: Tensor) -> Tensor:
    """Batch normalisation by the batch's own statistics, as a group norm with a group for each channel.

    Under vmap the second derivative of F.batch_norm is wrong by a per cent or two (seen in torch 2.13, in float64),
    and MAML's meta-gradient with it, without an error; that of F.group_norm is right.
    """
    m, c, h, w = x.shape
    channels = x.transpose(0, 1).reshape(1, c, m * h * w)
    return F.group_norm(channels, c, gain, shift).view(c, m, h, w).transpose(0, 1)


def check_values(layer: bool, count: int) -> None:
    """Raises ValueError where a layer norm, or else a batch norm, would take mean and variance of a single value."""
    if count != 1:
        return
    if layer:
        raise ValueError("a layer norm takes mean and variance of each sample, but here of a single value; give the "
                         "network more channels, or norm='none'")
    raise ValueError("a batch norm takes mean and variance of each channel over all samples, but here of a single "
                     "value; give at least 2 samples at a time, or a network with another norm")


def check_samples(count: int) -> None:
    """Raises ValueError where statistics are asked of no samples."""
    if count == 0:
        raise ValueError("the statistics of a norm were asked of no samples; give at least 2")


class _Collector(threading.local):
    """Where the norms that take statistics of a batch leave them in this thread; None: nowhere."""

    found: list | None = None


_collector = _Collector()


@contextmanager
def collected() -> Iterator[list[tuple[Tensor, Tensor]]]:
    """The (mean, variance), each (C,), of every batch that a `Norm` normalises by its own statistics in this block, in
    the order of the calls."""
    outer, _collector.found = _collector.found, []
    try:
        yield _collector.found
    finally:
        _collector.found = outer


def moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance (without Bessel's correction) of each channel of x (M, C, H, W), each (C,).

    Raises ValueError for no samples.
    """
    check_samples(len(x))
    return x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0)
