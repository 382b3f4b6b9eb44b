"""A Transformer that learns a regression from its prompt: no weight changes at test.

Garg, Tsipras, Liang, Valiant: What Can Transformers Learn In-Context? A Case Study of Simple Function Classes, NeurIPS
2022, equation 2.

    min_θ  E over prompts of  1/n Σ_{i=0}^{n-1} (M_θ(x_1, y_1, …, x_i, y_i, x_{i+1}) - y_{i+1})²

Every prefix counts, the empty one included, and one pass through a causal Transformer predicts after all of them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mlcourse.context.tokens import interleaved, shifted_pairs
from mlcourse.context.transformer import ContextTransformer, causal


class InContext(nn.Module):
    """Predicts each y_i of a prompt from x_i and the pairs before it, whatever the pairs are.

    dims: d. tokens: "pairs" or "interleaved" (tokens.py). layers, width, heads, seed: of the Transformer.
    Raises ValueError for other tokens.
    """

    def __init__(self, dims: int, *, tokens: str = "pairs", layers: int = 4, width: int = 64, heads: int = 4,
                 seed: int = 0):
        super().__init__()
        if tokens not in ("pairs", "interleaved"):
            raise ValueError(f"tokens must be 'pairs' or 'interleaved', got {tokens!r}")
        self.config = {"dims": dims, "tokens": tokens, "layers": layers, "width": width, "heads": heads, "seed": seed}
        self.tokens = tokens
        inputs = 2 * dims + 2 if tokens == "pairs" else dims
        self.transformer = ContextTransformer(inputs, 1, layers, width, heads, seed)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Predictions (B, n) for x (B, n, d) and y (B, n). The i-th depends neither on y_i nor on what comes later, so
        that the last y may be any number."""
        tokens = shifted_pairs(x, y) if self.tokens == "pairs" else interleaved(x, y)
        said = self.transformer(tokens, causal(tokens.shape[1], tokens.device)).squeeze(-1)
        return said if self.tokens == "pairs" else said[:, ::2]


def prefix_loss(predicted: Tensor, y: Tensor) -> Tensor:
    """The mean squared error over every prefix of every prompt, both (B, n)."""
    if predicted.shape != y.shape:
        raise ValueError(f"one prediction is needed for each y, got {tuple(predicted.shape)} for {tuple(y.shape)}")
    return (predicted - y).square().mean()


@torch.no_grad()
def errors(predicted: Tensor, clean: Tensor) -> Tensor:
    """The squared error after each number of pairs, to targets without noise: (B, n), for `Prompt.clean`."""
    return (predicted - clean).square()
