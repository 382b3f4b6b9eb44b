"""Two encoders, one space: the same thing seen in two domains, or through two senses.

Radford et al., Learning Transferable Visual Models From Natural Language Supervision (CLIP), ICML 2021, figure 3.

    a_n = A f(x_n),  b_n = B g(x'_n)       one pair of each class n; f and g are encoders, A and B linear
    symmetric_info_nce(a, b; τ)            a_n finds b_n among all b, and b_n finds a_n among all a        (`loss`)
    p(y = n | x') = softmax_n(cos(b, a_n)/τ)                                                               (`predict`)

In an episode the support set comes from the one domain and the query set from the other.
"""

from __future__ import annotations

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.engine.descend import check_rate
from mlcourse.episode import Episode
from mlcourse.learner import Learner, check_classes, check_network, require_grad
from mlcourse.losses.contrast import similarities, symmetric_info_nce
from mlcourse.nets import build_net, norm_of
from mlcourse.nets.wrap import linear
from mlcourse.phases import check_counts


class Anchors(NamedTuple):
    """The class means of the support side in the common space: (N, size), of unit length before the mean."""

    means: Tensor


class TwoEncoders(Learner):
    """Encoders f for the support side and g for the query side, trained so that a pair meets in one space.

    net: f, a network without a head. other: the `config` of g; None takes another network like f, "shared" f itself.
    tau: the temperature. size: of the common space. seed: of the initial weights of A and B. The networks' norm must be
    "layer" or "none", because statistics of one side say nothing about the other: ValueError otherwise, and for a
    network without what `other` or the heads need.
    """

    needs = ("features", "size")

    def __init__(self, net: nn.Module, other: dict | str | None = None, tau: float = 0.1, size: int = 64,
                 seed: int = 0):
        super().__init__()
        check_rate(tau, "temperature")
        check_counts(size=size)
        self.net, self.tau = net, tau
        self.shared = other == "shared"
        self.config = {"other": other, "tau": tau, "size": size, "seed": seed}
        if other is None:
            if not hasattr(net, "config"):
                raise ValueError(f"TwoEncoders makes the second network as the first was made, which this "
                                 f"{type(net).__name__} does not say (net.config); name one with other=, or 'shared'")
            other = {**net.config, "seed": net.config["seed"] + 1}
        self.twin = None if self.shared else build_net(other)
        for each in (net, self.twin or net):
            check_network(type(self), each)
            if norm_of(each) not in ("layer", "none"):
                raise ValueError(f"the networks of TwoEncoders need the norm 'layer' or 'none', got {norm_of(each)!r}")
        self.head = linear(net.size, size, 2 * seed, bias=False)
        self.twin_head = None if self.shared else linear(self.twin.size, size, 2 * seed + 1, bias=False)

    def embed(self, x: Tensor) -> Tensor:
        """The support side in the common space: (M, size)."""
        return self.head(self.net.features(x))

    def embed_other(self, x: Tensor) -> Tensor:
        """The query side in the common space: (M, size)."""
        return self.embed(x) if self.shared else self.twin_head(self.twin.features(x))

    def loss(self, episode: Episode) -> Tensor:
        """Symmetric InfoNCE between the class means of both sides; with one sample of each class on both, CLIP's."""
        require_grad(self)
        check_classes(self, episode)
        a = class_means(self.embed(episode.support_x), episode.support_y, episode.way)
        b = class_means(self.embed_other(episode.query_x), episode.query_y, episode.way)
        return symmetric_info_nce(a, b, self.tau)

    def adapt(self, episode: Episode, steps: int | None = None) -> Anchors:
        """The class means of the support side; `steps` is ignored."""
        check_classes(self, episode)
        return Anchors(class_means(self.embed(episode.support_x), episode.support_y, episode.way))

    def predict(self, state: Anchors, x: Tensor) -> Tensor:
        """cos(b, a_n)/τ for each sample of the query side: (M, N)."""
        return similarities(self.embed_other(x), state.means) / self.tau


def class_means(z: Tensor, y: Tensor, way: int) -> Tensor:
    """The mean of the unit vectors z/|z| of each class: (way, D) for z (M, D) and labels y (M,)."""
    one_hot = F.one_hot(y, way).to(z.dtype)
    return (one_hot.mT @ F.normalize(z, dim=-1)) / one_hot.sum(0)[:, None]
