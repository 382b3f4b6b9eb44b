"""A small Transformer over the tokens of a prompt. It has no positions: the mask alone says what a token knows.

Vaswani et al.: Attention Is All You Need, NeurIPS 2017, with the norms before each part as in GPT-2. A layer is, with
heads of width d = width / heads,

    e ← e + W_o [softmax(QKᵀ/√d) V],   Q, K, V = linear maps of norm(e); only allowed pairs of tokens count
    e ← e + W_2 gelu(W_1 norm(e))
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.nets.sequence import LayerNorm

READOUT = 0.02      # the standard deviation of the last layer's weights: the first predictions are close to 0


def causal(tokens: int, device: torch.device | None = None) -> Tensor:
    """Each token may attend to itself and to those before it: (S, S), a row for each token."""
    return torch.ones(tokens, tokens, dtype=torch.bool, device=device).tril()


def apart(context: int, queries: int, device: torch.device | None = None) -> Tensor:
    """Every token may attend to the context, which stands first, and a query also to itself: queries do not meet."""
    total = context + queries
    allowed = torch.eye(total, dtype=torch.bool, device=device)
    allowed[:, :context] = True
    return allowed


def normal_linear(inputs: int, outputs: int, std: float, generator: torch.Generator, bias: bool = True) -> nn.Linear:
    """A linear layer with weights from N(0, std²) and biases of 0."""
    layer = nn.utils.skip_init(nn.Linear, inputs, outputs, bias=bias)
    with torch.no_grad():
        layer.weight.copy_(std * torch.randn(outputs, inputs, generator=generator))
        if bias:
            layer.bias.zero_()
    return layer


class Layer(nn.Module):
    """One of `layers` layers. Weights start at N(0, 1/inputs), those of W_o and W_2 divided by √(2 layers)."""

    def __init__(self, width: int, heads: int, layers: int, generator: torch.Generator):
        super().__init__()
        self.heads, std, residual = heads, width**-0.5, (2 * layers) ** -0.5
        self.norm_1, self.norm_2 = LayerNorm(width), LayerNorm(width)
        self.qkv = normal_linear(width, 3 * width, std, generator, bias=False)
        self.out = normal_linear(width, width, std * residual, generator)
        self.up = normal_linear(width, 2 * width, std, generator)
        self.down = normal_linear(2 * width, width, (2 * width) ** -0.5 * residual, generator)

    def attention(self, e: Tensor, allowed: Tensor | None) -> tuple[Tensor, Tensor]:
        """The weights softmax(QKᵀ/√d) of every head (…, heads, S, S), and V (…, heads, S, d)."""
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(-3, -2)
                   for part in self.qkv(self.norm_1(e)).chunk(3, -1))
        scores = q @ k.mT * q.shape[-1] ** -0.5
        if allowed is not None:
            scores = scores.masked_fill(~allowed, -torch.inf)
        return scores.softmax(-1), v

    def forward(self, e: Tensor, allowed: Tensor | None) -> Tensor:
        """The tokens e (…, S, width) after the layer."""
        weights, v = self.attention(e, allowed)
        e = e + self.out((weights @ v).transpose(-3, -2).flatten(-2))
        return e + self.down(F.gelu(self.up(self.norm_2(e))))


class ContextTransformer(nn.Module):
    """Tokens (…, S, inputs) to outputs (…, S, outputs), with `allowed` (S, S) saying which token (row) may attend to
    which; None: any to any. Raises ValueError for sizes below 1, or a width that is no multiple of `heads`.
    """

    def __init__(self, inputs: int, outputs: int, layers: int = 4, width: int = 64, heads: int = 4, seed: int = 0):
        super().__init__()
        if min(inputs, outputs, layers, width, heads) < 1 or width % heads:
            raise ValueError("sizes must be at least 1, and the width a multiple of heads, got "
                             f"inputs {inputs}, outputs {outputs}, layers {layers}, width {width}, heads {heads}")
        generator = torch.Generator().manual_seed(seed)
        self.embed = normal_linear(inputs, width, inputs**-0.5, generator)
        self.layers = nn.ModuleList(Layer(width, heads, layers, generator) for _ in range(layers))
        self.norm = LayerNorm(width)
        self.readout = normal_linear(width, outputs, READOUT, generator)

    def forward(self, tokens: Tensor, allowed: Tensor | None = None) -> Tensor:
        e = self.embed(tokens)
        for layer in self.layers:
            e = layer(e, allowed)
        return self.readout(self.norm(e))

    def attention(self, tokens: Tensor, allowed: Tensor | None = None) -> Tensor:
        """How much each token attends to each, (layers, …, heads, S, S): rows sum to 1."""
        e, weights = self.embed(tokens), []
        for layer in self.layers:
            weights.append(layer.attention(e, allowed)[0])
            e = layer(e, allowed)
        return torch.stack(weights)
