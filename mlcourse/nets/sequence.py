"""A small Transformer whose attention is written by hand, for sequences."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


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

    The head sees the mean of the tokens. Initialised by torch's defaults for linear layers from `seed`, positions from
    a normal distribution of sd 0.1. Raises ValueError for a size below 1, a length that is no multiple of `patch`, or a
    width that is no multiple of `heads`.
    """

    norm = "none"                 # no statistics of a batch: layer norm is of each token
    tasks_at_once = None

    def __init__(self, way: int, length: int, inputs: int = 1, patch: int = 4, width: int = 32, heads: int = 2,
                 seed: int = 0):
        super().__init__()
        if min(way, length, inputs, patch, width, heads) < 1 or length % patch or width % heads:
            raise ValueError("sizes must be at least 1, the length a multiple of patch and the width of heads, got way "
                             f"{way}, length {length}, inputs {inputs}, patch {patch}, width {width}, heads {heads}")
        self.config = {"net": "Transformer", "way": way, "length": length, "inputs": inputs, "patch": patch,
                       "width": width, "heads": heads, "seed": seed}
        self.length, self.patch, self.heads, self.size = length, patch, heads, width
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embed = nn.Linear(inputs * patch, width)
            self.position = nn.Parameter(0.1 * torch.randn(length // patch, width))
            self.norm_1, self.norm_2 = LayerNorm(width), LayerNorm(width)
            self.qkv, self.out = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width)
            self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
            self.head = nn.Linear(width, way)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))

    def features(self, x: Tensor) -> Tensor:
        """What the head sees: the mean of the tokens (M, width). Raises ValueError for another length than its own."""
        if x.shape[1] != self.length:
            raise ValueError(f"this Transformer reads sequences of {self.length} points, got {x.shape[1]}")
        tokens = x.reshape(len(x), self.length // self.patch, -1)
        e = self.embed(tokens) + self.position
        e = e + self.out(self.attend(self.norm_1(e)))
        return (e + self.down(torch.relu(self.up(self.norm_2(e))))).mean(1)

    def attend(self, e: Tensor) -> Tensor:
        """softmax(QKᵀ/√d) V of every head, side by side: (M, S, width)."""
        m, s, width = e.shape
        q, k, v = (part.reshape(m, s, self.heads, -1).transpose(1, 2) for part in self.qkv(e).chunk(3, -1))
        weights = torch.softmax(q @ k.mT / math.sqrt(q.shape[-1]), -1)
        return (weights @ v).transpose(1, 2).reshape(m, s, width)
