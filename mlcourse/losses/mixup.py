"""Mixup of samples, hidden features or labels (Zhang et al., mixup: Beyond Empirical Risk Minimization, ICLR 2018), as
pure functions."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def mixed(h: Tensor, lam: Tensor | float, order: Tensor) -> Tensor:
    """λ h_i + (1 - λ) h_order(i), for h (M, …), λ in [0, 1] and a permutation `order` (M,). λ = 1 gives back h."""
    return lam * h + (1 - lam) * h[order]


def mixed_loss(logits: Tensor, y: Tensor, lam: Tensor | float, order: Tensor) -> Tensor:
    """The cross-entropy of logits (M, N) with one-hot labels y (M,), mixed by the same λ and permutation as the
    samples: λ CE(logits, y) + (1 - λ) CE(logits, y_order)."""
    return F.cross_entropy(logits, mixed(F.one_hot(y, logits.shape[-1]).to(logits.dtype), lam, order))
