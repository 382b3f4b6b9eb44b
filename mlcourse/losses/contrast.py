"""Contrastive losses as pure functions. In all of them the negatives are the other samples of the batch, and the loss
is in nats, averaged over its anchors; s_ij = cos(a_i, b_j)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def similarities(a: Tensor, b: Tensor) -> Tensor:
    """s_ij = cos(a_i, b_j), in [-1, 1], shape (A, B), for a (A, D) and b (B, D)."""
    return F.normalize(a, dim=-1) @ F.normalize(b, dim=-1).mT


def info_nce(a: Tensor, b: Tensor, tau: float) -> Tensor:
    """InfoNCE: -mean_i log( exp(s_ii/τ) / Σ_j exp(s_ij/τ) ), the cross-entropy of finding b_i, the partner of a_i,
    among all N of b (van den Oord, Li and Vinyals 2018, "Representation Learning with Contrastive Predictive Coding",
    equation 4, with exp(cos/τ) as the score).

    a, b (N, D): row i of both is a positive pair. Between 0 and about log N + 2/τ; log N where nothing is told apart.
    Raises ValueError for a temperature that is not positive, fewer than two pairs, or unequal shapes.
    """
    _check(a, b, tau)
    return F.cross_entropy(similarities(a, b) / tau, torch.arange(len(a), device=a.device))


def symmetric_info_nce(a: Tensor, b: Tensor, tau: float) -> Tensor:
    """The mean of InfoNCE in both directions: a finds b among all of b, and b finds a among all of a (Radford et al.,
    "Learning Transferable Visual Models From Natural Language Supervision", ICML 2021, figure 3). Raises as `info_nce`.
    """
    return (info_nce(a, b, tau) + info_nce(b, a, tau)) / 2


def nt_xent(a: Tensor, b: Tensor, tau: float) -> Tensor:
    """NT-Xent: each of the 2N views finds the other view of its picture among the 2N - 1 others, itself left out (Chen,
    Kornblith, Norouzi and Hinton, "A Simple Framework for Contrastive Learning of Visual Representations", ICML 2020,
    equation 1).

    a, b (N, D): two views of the same N pictures. Raises as `info_nce`.
    """
    _check(a, b, tau)
    z = torch.cat([a, b])
    logits = _without_itself(similarities(z, z) / tau)
    return F.cross_entropy(logits, torch.arange(len(z), device=z.device).roll(len(a)))


def sup_con(z: Tensor, y: Tensor, tau: float) -> Tensor:
    """SupCon: every sample of the same label is a positive (Khosla et al., "Supervised Contrastive Learning", NeurIPS
    2020, equation 2, the sum over positives outside the logarithm):

        mean_i  -1/|P(i)| Σ_{p in P(i)} log( exp(s_ip/τ) / Σ_{a ≠ i} exp(s_ia/τ) ),   P(i) = {p ≠ i: y_p = y_i}.

    z (M, D), y (M,) int64. An anchor without a positive is left out of the mean; 0 where no sample has one. With two
    samples of each label it is NT-Xent. Raises ValueError for a temperature that is not positive or unequal lengths.
    """
    _check_tau(tau)
    if len(z) != len(y):
        raise ValueError(f"sup_con needs one label for each sample, got {len(z)} samples and {len(y)} labels")
    positive = (y[:, None] == y).to(z.dtype) - torch.eye(len(y), dtype=z.dtype, device=z.device)
    log_p = _without_itself(similarities(z, z) / tau).log_softmax(1)
    count = positive.sum(1)
    of_anchor = -(positive * log_p.masked_fill(_diagonal(z), 0)).sum(1) / count.clamp(min=1)
    return of_anchor.sum() / (count > 0).sum().clamp(min=1)


def nca(z: Tensor, y: Tensor, tau: float = 1.0) -> Tensor:
    """Neighbourhood components analysis: every sample finds those of its label among all others, by the softmax of the
    negative squared distances (Goldberger et al. 2004, the logarithm of their p_i, as Laenen and Bertinetto 2021):

        -mean_i log( Σ_{j ≠ i, y_j = y_i} exp(-|z_i - z_j|²/τ) / Σ_{k ≠ i} exp(-|z_i - z_k|²/τ) ).

    z (M, D), y (M,) int64, or both with a leading T, for the losses (T,) of T batches. A sample without another of its
    label is left out of the mean; 0 where none has one. Raises ValueError for a temperature that is not positive or
    unequal lengths.
    """
    _check_tau(tau)
    if z.shape[:-1] != y.shape:
        raise ValueError(f"nca needs one label for each sample, got samples of shape {tuple(z.shape)} and labels of "
                         f"shape {tuple(y.shape)}")
    logits = (2 * z @ z.mT - z.square().sum(-1).unsqueeze(-2)) / tau         # plus |z_i|²/τ, which no softmax sees
    positive = (y.unsqueeze(-1) == y.unsqueeze(-2)) & ~_diagonal(z)
    counts = positive.any(-1)
    log_p = _without_itself(logits).log_softmax(-1)
    found = log_p.masked_fill(counts.unsqueeze(-1) & ~positive, -torch.inf).logsumexp(-1)     # 0 where none counts
    return -found.sum(-1) / counts.sum(-1).clamp(min=1)


def _without_itself(logits: Tensor) -> Tensor:
    """Logits (M, M) whose diagonal can win no softmax."""
    return logits.masked_fill(_diagonal(logits), -torch.inf)


def _diagonal(z: Tensor) -> Tensor:
    return torch.eye(z.shape[-2], dtype=torch.bool, device=z.device)


def _check_tau(tau: float) -> None:
    if not tau > 0:
        raise ValueError(f"the temperature must be positive, got {tau}; 0.1 is a common choice")


def _check(a: Tensor, b: Tensor, tau: float) -> None:
    _check_tau(tau)
    if a.shape != b.shape or a.ndim != 2 or len(a) < 2:
        raise ValueError(f"a contrastive loss needs at least two pairs, as two matrices (N, D) of the same shape, got "
                         f"{tuple(a.shape)} and {tuple(b.shape)}")
