"""SNAIL, the ancestor: causal convolutions gather, causal attention looks up.

Mishra, Rohaninejad, Chen, Abbeel: A Simple Neural Attentive Meta-Learner, ICLR 2018, figure 2 and its pseudo-code.

    dense       [x, tanh(conv x) · sigmoid(conv' x)]          convolutions of two taps, t and t - dilation
    TC          dense layers of dilation 1, 2, 4, …, up to the length of the sequence
    attention   [x, softmax(QKᵀ/√d) V]                        over the steps up to t

Each part appends its channels to those it was given. The paper's dilations start at 2; a step then knows nothing of
those an odd number before it, so here they start at 1.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.context.transformer import causal, normal_linear


class Dense(nn.Module):
    """Appends `filters` channels to x (B, T, C): of steps t and t - dilation."""

    def __init__(self, inputs: int, dilation: int, filters: int, generator: torch.Generator):
        super().__init__()
        self.dilation = dilation
        self.taps = normal_linear(2 * inputs, 2 * filters, (2 * inputs) ** -0.5, generator)

    def forward(self, x: Tensor) -> Tensor:
        before = F.pad(x, (0, 0, self.dilation, 0))[:, :x.shape[1]]
        value, gate = self.taps(torch.cat([x, before], -1)).chunk(2, -1)
        return torch.cat([x, value.tanh() * gate.sigmoid()], -1)


class TC(nn.Sequential):
    """Dense layers after which every step knows all before it, in sequences of up to `length` steps. `outputs` is the
    number of channels."""

    def __init__(self, inputs: int, length: int, filters: int, generator: torch.Generator):
        count = max(1, (length - 1).bit_length())
        super().__init__(*(Dense(inputs + i * filters, 2**i, filters, generator) for i in range(count)))
        self.outputs = inputs + count * filters


class Attention(nn.Module):
    """Appends `values` channels to x (B, T, C): a soft look-up by keys of `keys` numbers among the steps up to t."""

    def __init__(self, inputs: int, keys: int, values: int, generator: torch.Generator):
        super().__init__()
        std, self.outputs = inputs**-0.5, inputs + values
        self.query, self.key = (normal_linear(inputs, keys, std, generator, bias=False) for _ in range(2))
        self.value = normal_linear(inputs, values, std, generator)

    def forward(self, x: Tensor) -> Tensor:
        scores = self.query(x) @ self.key(x).mT * self.key.out_features**-0.5
        weights = scores.masked_fill(~causal(x.shape[1], x.device), -torch.inf).softmax(-1)
        return torch.cat([x, weights @ self.value(x)], -1)


class SNAIL(nn.Module):
    """Attention, TC, attention, TC, attention and a linear layer, as for few-shot classification: sequences
    (B, T, inputs) of up to `length` steps to outputs (B, T, outputs), each of the steps up to its own. In an episode
    tokens are [features, one-hot label], the last with zeros for its label, and the loss is of the last output alone.

    filters: of each convolution, and keys and values of each attention. Raises ValueError for sizes below 1.
    """

    def __init__(self, inputs: int, outputs: int, length: int, filters: int = 32, seed: int = 0):
        super().__init__()
        if min(inputs, outputs, length, filters) < 1:
            raise ValueError("sizes must be at least 1, got "
                             f"inputs {inputs}, outputs {outputs}, length {length}, filters {filters}")
        generator = torch.Generator().manual_seed(seed)
        self.length, parts, channels = length, [], inputs
        for kind in (Attention, TC, Attention, TC, Attention):
            sizes = (filters, filters) if kind is Attention else (length, filters)
            parts.append(kind(channels, *sizes, generator))
            channels = parts[-1].outputs
        self.parts = nn.Sequential(*parts)
        self.out = normal_linear(channels, outputs, channels**-0.5, generator)

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[1] > self.length:
            raise ValueError(f"this SNAIL reads sequences of up to {self.length} steps, got {x.shape[1]}")
        return self.out(self.parts(x))
