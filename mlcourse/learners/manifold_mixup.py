"""Manifold mixup: train on mixtures of hidden features and of their labels.

Verma et al., Manifold Mixup: Better Representations by Interpolating Hidden States, ICML 2019, section 2; in few-shot
learning: Mangla et al., Charting the Right Manifold: Manifold Mixup for Few-shot Learning (S2M2), WACV 2020.

    l ~ {0, 1, 2}       λ ~ Beta(α, α)          one layer and one λ a step; layer 0 is the picture itself
    h_l ← λ h_l + (1 - λ) h_l[order]            of the queries; the layers above l see the mixture
    loss = CE(logits, λ y + (1 - λ) y[order])   one-hot labels, mixed by the same λ and the same permutation

Theirs is a classifier of all training classes. Here an episode's queries are mixed, and a ridge regression (R2D2) on
the supports, which are not, tells them apart. At test nothing is mixed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from mlcourse.engine.descend import check_rate
from mlcourse.episode import Episode
from mlcourse.learner import require_grad
from mlcourse.learners.r2d2 import R2D2
from mlcourse.losses.mixup import mixed, mixed_loss
from mlcourse.method import Method
from mlcourse.phases import Phase

LAYERS = 3


class ManifoldMixup(R2D2):
    """R2D2 that is trained on mixtures. alpha: of the Beta distribution of λ. seed: of what is mixed.

    Of a network with fewer layers than three, those that it has. Raises ValueError for an alpha that is not positive
    and finite, and as R2D2.
    """

    def __init__(self, net: nn.Module, alpha: float = 2.0, penalty: float = 1.0, scale: float = 10.0, seed: int = 0):
        super().__init__(net, penalty, scale)
        check_rate(alpha, "alpha of the mixture")
        self.alpha, self.seed = alpha, seed
        self.config = {"alpha": alpha, "penalty": penalty, "scale": scale, "seed": seed}
        self.register_buffer("lam", torch.ones(()), persistent=False)
        self.drawn = (0, 0)
        self.draw(0)

    @property
    def layer(self) -> int:
        """The layer whose input is mixed in this step."""
        return self.drawn[0]

    @property
    def shift(self) -> int:
        """By how many places the queries are rolled in this step."""
        return self.drawn[1]

    def draw(self, step: int) -> None:
        """λ, the layer and the permutation of a step. The queries stand in random order, so that a shift, by which each
        is mixed with the one so many places on, pairs them at random, and none with itself."""
        drawn = np.random.default_rng((self.seed, step))
        self.lam.fill_(drawn.beta(self.alpha, self.alpha))
        self.drawn = (int(drawn.integers(min(LAYERS, len(getattr(self.net, "layers", "1"))))),
                      int(drawn.integers(2 ** 16)))

    def loss(self, episode: Episode) -> Tensor:
        """The cross-entropy of mixed queries with mixed labels."""
        require_grad(self)
        m = len(episode.query_y)
        order = torch.arange(m, device=episode.query_y.device).roll(-1 - self.shift % max(1, m - 1))
        state, lam = self.adapt(episode), self.lam.to(episode.query_x.dtype)
        with mixing(self.net, self.layer, lam, order):
            logits = self.predict(state, mixed(episode.query_x, lam, order) if self.layer == 0 else episode.query_x)
        return mixed_loss(logits, episode.query_y, lam, order)

    def phases(self, sampler, steps: int, **settings) -> list[Phase]:
        """As in `Learner.phases`, with a new mixture at each step."""
        return [replace(phase, before=self.draw) for phase in super().phases(sampler, steps, **settings)]


@contextmanager
def mixing(net: nn.Module, layer: int, lam: Tensor | float, order: Tensor) -> Iterator[None]:
    """In this block the input of layer `layer` of a network, counted from 0, is mixed. Layer 0 is left to the
    caller."""
    if layer == 0:
        yield
        return
    module = net.get_submodule(net.layers[layer][0].removesuffix("."))
    handle = module.register_forward_pre_hook(lambda module, h: (mixed(h[0], lam, order), *h[1:]))
    try:
        yield
    finally:
        handle.remove()


METHOD = Method("manifold-mixup", ManifoldMixup, "trained on mixed features and labels", "headless", {"penalty": 100.0},
                {"steps": 600, "tasks": 1, "lr": 5e-3}, train_way=30, train_query=5)
