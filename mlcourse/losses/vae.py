"""The bound of a variational autoencoder (Kingma and Welling, Auto-Encoding Variational Bayes, ICLR 2014), as pure
functions of diagonal normal distributions."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class Normal(NamedTuple):
    """A diagonal normal distribution: mean and log-variance log σ², of the same shape (…, d)."""

    mean: Tensor
    log_var: Tensor


def reparameterised(q: Normal, noise: Tensor) -> Tensor:
    """A draw z = μ + σ ε (…, d) with ε = `noise`, standard normal and of q's shape: a function of μ and σ that a
    gradient passes."""
    return q.mean + (q.log_var / 2).exp() * noise


def standard_like(q: Normal) -> Normal:
    """The standard normal distribution in the shape of q."""
    return Normal(torch.zeros_like(q.mean), torch.zeros_like(q.log_var))


def kl(q: Normal, p: Normal) -> Tensor:
    """KL(q‖p) in nats in each dimension (…, d): ½ (log σ_p²/σ_q² + (σ_q² + (μ_q - μ_p)²) / σ_p² - 1). Its sum over the
    last axis is the divergence, as the dimensions are independent."""
    ratio = (q.log_var - p.log_var).exp() + (q.mean - p.mean).square() * (-p.log_var).exp()
    return (p.log_var - q.log_var + ratio - 1) / 2


def log_density(x: Tensor, p: Normal) -> Tensor:
    """log p(x) in nats in each dimension (…, d)."""
    return -(math.log(2 * math.pi) + p.log_var + (x - p.mean).square() * (-p.log_var).exp()) / 2


def log_bernoulli(x: Tensor, logits: Tensor) -> Tensor:
    """log p(x) in nats of binary pictures x (…, C, H, W) under the probabilities σ(logits) of their pixels: (…). A grey
    pixel has no probability here (`check_binary`), though a number would come out."""
    return -F.binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(-3).sum(-1)


def check_binary(x: Tensor) -> None:
    """Raises ValueError for pictures with pixels other than 0 and 1."""
    if not ((x == 0) | (x == 1)).all():
        raise ValueError("a Bernoulli distribution is one of binary pictures, but these have grey pixels; binarise "
                         "them, for instance by x > 0.5")
