"""Networks for sequences: a small Transformer whose attention is written by hand, and convolutions along a pen path."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.nets.norms import Norm

NEVER = -1e9        # a score whose softmax is 0 beside any other, and even where all are it, so that none is NaN


class LayerNorm(nn.LayerNorm):
    """Layer normalisation of the last dimension, computed as a group norm with one group.

    Under vmap the second derivative of F.layer_norm is wrong (seen in torch 2.13, in float64, in the fourth digit), and
    MAML's meta-gradient with it, without an error; that of F.group_norm is right.
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.group_norm(x.flatten(0, -2), 1, self.weight, self.bias, self.eps).view(x.shape)


class Transformer(nn.Module):
    """A Transformer encoder (Vaswani et al., NeurIPS 2017) for sequences x (M, L, inputs): logits (M, way).

    `patch` neighbouring points make a token, so that there are S = L / patch of them. With e the embedded tokens plus a
    learned position each, one block of `heads` attention heads of width d = width / heads (norm before each part, as in
    GPT-2):

        e ← e + W_o [softmax(QKᵀ/√d) V],   Q, K, V = linear maps of norm(e)
        e ← e + W_2 relu(W_1 norm(e))

    The head sees the mean of the tokens. way=0 leaves it out: the network then returns its features (M, width).
    pads: whether a token whose points are all zero is padding, which no token attends to and the mean leaves out.
    Initialised by torch's defaults for linear layers from `seed`, positions from a normal distribution of sd 0.1.
    Raises ValueError for a size below 1, a length that is no multiple of `patch`, or a width that is no multiple of
    `heads`, and for samples of another shape.
    """

    norm = "layer"                # of each token: no statistics of a batch
    tasks_at_once = None

    def __init__(self, way: int, length: int, inputs: int = 1, patch: int = 4, width: int = 32, heads: int = 2,
                 seed: int = 0, pads: bool = False):
        super().__init__()
        if way < 0 or min(length, inputs, patch, width, heads) < 1 or length % patch or width % heads:
            raise ValueError("sizes must be at least 1, the length a multiple of patch and the width of heads, got way "
                             f"{way}, length {length}, inputs {inputs}, patch {patch}, width {width}, heads {heads}")
        self.config = {"net": "Transformer", "way": way, "length": length, "inputs": inputs, "patch": patch,
                       "width": width, "heads": heads, "seed": seed, "pads": pads}
        self.length, self.inputs, self.patch, self.heads, self.size = length, inputs, patch, heads, width
        self.pads = pads
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embed = nn.Linear(inputs * patch, width)
            self.position = nn.Parameter(0.1 * torch.randn(length // patch, width))
            self.norm_1, self.norm_2 = LayerNorm(width), LayerNorm(width)
            self.qkv, self.out = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width)
            self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
            if way:
                self.head = nn.Linear(width, way)

    def forward(self, x: Tensor) -> Tensor:
        z = self.features(x)
        return self.head(z) if "head" in self._modules else z

    def features(self, x: Tensor) -> Tensor:
        """What the head sees: the mean of the tokens (M, width). Without a token that is no padding, zeros."""
        if x.ndim != 3 or x.shape[1:] != (self.length, self.inputs):
            raise ValueError(f"this Transformer reads sequences (M, {self.length}, {self.inputs}), got samples of "
                             f"shape {tuple(x.shape)}")
        tokens = x.reshape(len(x), self.length // self.patch, self.patch * self.inputs)
        counts = (tokens != 0).any(2, keepdim=True) if self.pads else None
        e = self.embed(tokens) + self.position
        e = e + self.out(self.attend(self.norm_1(e), counts))
        e = e + self.down(torch.relu(self.up(self.norm_2(e))))
        return e.mean(1) if counts is None else (e * counts).sum(1) / counts.sum(1).clamp(min=1)

    def attend(self, e: Tensor, counts: Tensor | None = None) -> Tensor:
        """softmax(QKᵀ/√d) V of every head, side by side: (M, S, width).

        counts (M, S, 1): whether a token may be attended to; None: all may.
        """
        m, s, width = e.shape
        by_head = lambda part: part.reshape(m, s, self.heads, width // self.heads).transpose(1, 2)
        q, k, v = map(by_head, self.qkv(e).chunk(3, -1))
        scores = q @ k.mT / math.sqrt(q.shape[-1])
        if counts is not None:
            scores = scores.masked_fill(~counts.mT[:, None], NEVER)
        return (scores.softmax(-1) @ v).transpose(1, 2).reshape(m, s, width)


class StrokeNet(nn.Module):
    """Four 1-D convolutions along a pen's path, each with stride 2, norm and ReLU, then a mean over the path.

    Input (M, P, 3): P points with x, y and the pen (1 where a line was drawn from the point before, 0 where the pen was
    set down); the network adds the step from the point before, 0 where the pen was up. Output: features (M, width).
    norm: "layer" (statistics of each path by itself) or "none". Raises ValueError for another norm.
    """

    tasks_at_once = None

    def __init__(self, width: int = 64, norm: str = "layer", seed: int = 0):
        super().__init__()
        if norm not in ("layer", "none"):
            raise ValueError(f"norm of a StrokeNet must be 'layer' or 'none', got {norm!r}")
        self.config = {"net": "StrokeNet", "width": width, "norm": norm, "seed": seed}
        self.norm, self.size = norm, width
        channels = [5] + [width] * 4
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.convs = nn.ModuleList(nn.Conv1d(i, o, 5, 2, padding=2, bias=norm == "none")
                                       for i, o in zip(channels[:-1], channels[1:], strict=True))
            for conv in self.convs:
                nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
            self.norms = nn.ModuleList(Norm(norm, width) for _ in self.convs)

    def forward(self, x: Tensor) -> Tensor:
        return self.features(x)

    def features(self, x: Tensor) -> Tensor:
        """The mean over the path of what the last convolution sees: (M, width)."""
        place, pen = x[..., :2], x[..., 2:]
        step = F.pad(place.diff(dim=1), (0, 0, 1, 0)) * pen
        x = torch.cat([place, 4 * step, pen], -1).mT
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = F.relu(norm(conv(x)[..., None], None)[..., 0])
        return x.mean(-1)
