"""Losses of a conditional GAN that redraws labelled pictures, as pure functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

CELLS = 4           # pictures are compared as averages over CELLS × CELLS cells
CAP = 1.0           # of the mode-seeking ratio
AUGMENTED = 0.3     # the share of pictures that differentiable augmentation changes


def hinge_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """L_D = mean relu(1 - D(t)) + mean relu(1 + D(G)): 0 once every target picture scores above 1 and every generated
    one below -1 (Lim and Ye, Geometric GAN, 2017; Miyato et al., ICLR 2018, equation 16). Scores (n,) and (m,)."""
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def hinge_generator(fake: Tensor) -> Tensor:
    """-mean D(G): no hinge, so that a generated picture never scores high enough. Scores (m,)."""
    return -fake.mean()


def feature_matching(real: Sequence[Tensor], fake: Sequence[Tensor]) -> Tensor:
    """Σ |mean h(t) - mean h(G)|₂ over layers h of a discriminator: generated pictures are to look alike to it on
    average (Salimans et al., Improved Techniques for Training GANs, NIPS 2016, section 3.1, there the square of one
    layer). real, fake: features (m, …) and (n, …) of each layer."""
    return sum((t.mean(0) - g.mean(0)).square().sum().add(1e-8).sqrt() for t, g in zip(real, fake, strict=True))


def content(drawn: Tensor, x: Tensor) -> Tensor:
    """|down(G) - down(x)|_1: the mean absolute difference of both pictures averaged over CELLS × CELLS cells.
    (M, 1, S, S) each."""
    down = lambda pictures: F.adaptive_avg_pool2d(pictures, CELLS)
    return (down(drawn) - down(x)).abs().mean()


def mode_seeking(first: Tensor, second: Tensor, z1: Tensor, z2: Tensor) -> Tensor:
    """How much two drawings of the same picture differ, in proportion to their noise: the mean of
    min(|G(x, z₁) - G(x, z₂)|₁ / |z₁ - z₂|₁, CAP), sums of absolute values (Mao et al., Mode Seeking Generative
    Adversarial Networks, CVPR 2019, equation 2, without the cap). 0 where the noise is ignored.

    first, second (M, 1, S, S); z1, z2 (M, Z). The cap keeps the term from paying for noise without end.
    """
    apart = (first - second).abs().flatten(1).sum(1)
    return (apart / (z1 - z2).abs().sum(1).clamp(min=1e-6)).clamp(max=CAP).mean()


def gradient_penalty(critic: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """mean (|∇D(x)| - 1)² at pictures x (M, C, H, W), the norm taken over all axes of a picture (Gulrajani et al.,
    Improved Training of Wasserstein GANs, NIPS 2017, equation 3). critic: (M, C, H, W) → scores (M,)."""
    x = x.detach().requires_grad_()
    gradient, = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return (gradient.flatten(1).square().sum(1).add(1e-12).sqrt() - 1).square().mean()


def shift_and_cut(x: Tensor, u: Tensor, share: float = AUGMENTED) -> Tensor:
    """Differentiable augmentation (Zhao et al., Differentiable Augmentation for Data-Efficient GAN Training, NeurIPS
    2020): a picture shifted by up to an eighth of its side, background (0) following, and a square of a quarter of
    the side blanked around a random place (a half, in the paper). Both sides of a discriminator must get it, or it
    learns to see the augmentation.

    Only a share of the pictures is changed (Karras et al., Training Generative Adversarial Networks with
    Limited Data, NeurIPS 2020, section 2): a D that sees none as it is lets G stay farther from the target.

    x (M, 1, S, S), u (M, 5) uniform in [-1, 1]: (M, 1, S, S), differentiable in x.
    """
    side = x.shape[-1]
    most = round(side / 8)
    by = (u[:, :2] * (most + 0.5)).round().clamp(-most, most).long()
    at = torch.arange(side, device=x.device)
    rows, columns = (at + by[:, i, None] + most for i in (0, 1))
    padded = F.pad(x, (most,) * 4)[:, 0]
    moved = padded[torch.arange(len(x), device=x.device)[:, None, None], rows[:, :, None], columns[:, None, :]]
    centre = (u[:, 2:4] + 1) / 2 * side
    near = [(at + 0.5 - centre[:, i, None]).abs() < side / 8 for i in (0, 1)]
    changed = moved * ~(near[0][:, :, None] & near[1][:, None, :])
    return torch.where(u[:, 4, None, None, None] < 2 * share - 1, changed[:, None], x)
