"""Losses between two domains, as pure functions: their gradients pull the features of both together."""

from __future__ import annotations

import math

import torch.nn.functional as F
from torch import Tensor


def coral(a: Tensor, b: Tensor) -> Tensor:
    """CORAL: the squared distance of two covariance matrices, |C_a - C_b|²_F / (4 d²) (Sun and Saenko, Deep CORAL,
    ECCV 2016 workshops, equations 1 to 3).

    a (n, d), b (m, d): features of two domains; with a leading task dimension T on both, the losses (T,).
    Raises ValueError for fewer than 2 rows of either, which have no covariance.
    """
    if min(a.shape[-2], b.shape[-2]) < 2:
        raise ValueError(f"a covariance needs at least 2 samples of each domain, got {a.shape[-2]} and {b.shape[-2]}")
    return (covariance(a) - covariance(b)).square().sum((-2, -1)) / (4 * a.shape[-1] ** 2)


def covariance(a: Tensor) -> Tensor:
    """The covariance matrix (d, d) of rows a (n, d), divided by n - 1."""
    centred = a - a.mean(-2, keepdim=True)
    return centred.mT @ centred / (a.shape[-2] - 1)


def reversed_gradient(x: Tensor, strength: float | Tensor) -> Tensor:
    """x itself, whose gradient flows back times -strength (Ganin et al., JMLR 2016, section 4.2): what follows learns
    to descend a loss, what precedes to ascend it. Written so that vmap and torch.func can see through it."""
    return (1 + strength) * x.detach() - strength * x


def domain_loss(source_logit: Tensor, target_logit: Tensor) -> Tensor:
    """The loss of a discriminator that says "source" by a positive logit: the mean of its cross-entropy (nats) on
    either domain; log 2 where it cannot tell. Logits (n,) and (m,), or (T, n) and (T, m) for losses (T,)."""
    return (F.softplus(-source_logit).mean(-1) + F.softplus(target_logit).mean(-1)) / 2


def mean_entropy(logits: Tensor) -> Tensor:
    """The mean over pictures of H(p) = -Σ_k p_k log p_k, in nats, of predictions p = softmax(logits (n, N)): 0 where
    all are sure, log N where none says anything. With a leading task dimension T, the means (T,)."""
    log_p = logits.log_softmax(-1)
    return -(log_p.exp() * log_p).sum(-1).mean(-1)


def information(logits: Tensor) -> Tensor:
    """H(mean p) - mean H(p) of predictions p = softmax(logits (n, N)), in nats: the mutual information of a picture and
    its predicted class. High where each prediction is sure and all classes are predicted; no label enters
    (Bridle et al., NIPS 1991; Shi and Sha, ICML 2012). With a leading task dimension T, those of the tasks (T,)."""
    log_mean = logits.log_softmax(-1).logsumexp(-2) - math.log(logits.shape[-2])
    return -(log_mean.exp() * log_mean).sum(-1) - mean_entropy(logits)
