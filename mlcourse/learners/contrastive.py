"""Contrastive pre-training of an encoder, with and without labels; then ProtoNet on its features.

SupCon: Khosla et al., Supervised Contrastive Learning, NeurIPS 2020, equation 2.
SimCLR: Chen, Kornblith, Norouzi, Hinton: A Simple Framework for Contrastive Learning of Visual Representations,
ICML 2020, algorithm 1.

    h = f_θ(x)                         the encoder, kept                             (`embed`)
    z = W₂ relu(W₁ h)                  the projection head, for the loss alone       (`project`)
    sup_con(z, y) over the batch       positives are the samples of the same label   (`loss`)

In SimCLR the label says which picture a view was made of, so that it needs no class: `phases` makes the views. With two
views of each picture the loss is NT-Xent.
"""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.engine.descend import check_rate
from mlcourse.episode import Episode, EpisodeSampler
from mlcourse.episode.pairs import PictureSampler
from mlcourse.episode.views import two_views
from mlcourse.learner import check_classes, require_grad
from mlcourse.learners.protonet import ProtoNet
from mlcourse.losses.contrast import sup_con
from mlcourse.method import Method
from mlcourse.nets.wrap import linear
from mlcourse.phases import Phase, check_counts


class SupCon(ProtoNet):
    """Pulls samples of one label together and pushes all others of the batch apart; adapts as ProtoNet, by the distance
    to class means, on unit features f_θ(x)/|f_θ(x)|.

    net: a network without a head (way=0). tau: the temperature. size: of the projection that the loss sees. views: the
    strength of the changes that `phases` makes to each training picture (0: none). seed: of the projection's initial
    weights.
    Raises ValueError for a temperature, size or strength out of range.
    """

    needs = ("size",)

    def __init__(self, net: nn.Module, tau: float = 0.1, size: int = 64, views: float = 1.0, seed: int = 0):
        super().__init__(net)
        check_rate(tau, "temperature")
        check_counts(size=size)
        self.tau, self.views = tau, views
        self.config = {"tau": tau, "size": size, "views": views, "seed": seed}
        self.hidden, self.out = linear(net.size, net.size, 2 * seed), linear(net.size, size, 2 * seed + 1)

    def embed(self, x: Tensor, stats: tuple = (), tasks: tuple = ()) -> Tensor:
        """f_θ(x) at unit length: (M, D)."""
        return F.normalize(super().embed(x, stats, tasks), dim=-1)

    def project(self, x: Tensor) -> Tensor:
        """z: (M, size)."""
        return self.out(F.relu(self.hidden(super().embed(x))))

    def loss(self, episode: Episode) -> Tensor:
        """SupCon over support and query samples together, with the episode's labels."""
        require_grad(self)
        check_classes(self, episode)
        x, y = episode.samples()
        return sup_con(self.project(x), y, self.tau)

    def phases(self, sampler, steps: int, **settings) -> list[Phase]:
        """As in `Learner.phases`, on a view of every picture."""
        return [replace(phase, sample=self._seen(phase.sample)) for phase in super().phases(sampler, steps, **settings)]

    def _seen(self, sample):
        """`sample` followed by what this method trains on."""
        def views(generator: torch.Generator) -> Episode:
            return in_views(sample(generator), generator, self.views)
        return views


class SimCLR(SupCon):
    """SupCon without classes: the label of a view is the picture that it was made of."""

    def phases(self, sampler, steps: int, **settings) -> list[Phase]:
        """As in `Learner.phases`, on two views of each picture. Of a sampler of episodes only the domain and the number
        of pictures count: they are drawn anew, regardless of class."""
        if isinstance(sampler, EpisodeSampler):
            sampler = PictureSampler(sampler.domain, sampler.way * (sampler.shot + sampler.query))
        return super().phases(sampler, steps, **settings)

    def _seen(self, sample):
        def views(generator: torch.Generator) -> Episode:
            return instances(sample(generator), generator, self.views)
        return views


def in_views(batch: Episode, generator: torch.Generator, strength: float) -> Episode:
    """A batch of episodes with every support and query picture replaced by a view of it."""
    see = lambda x: two_views(x.flatten(0, 1), generator, strength)[0].view_as(x)
    return batch._replace(support_x=see(batch.support_x), query_x=see(batch.query_x))


def instances(batch: Episode, generator: torch.Generator, strength: float) -> Episode:
    """A batch of episodes in which each of the M pictures is a class of its own: support and query are two views of
    each.

    The labels of the batch are not used. M-way 1-shot: the task of telling pictures apart.
    """
    x, _ = batch.samples()
    t, m = x.shape[:2]
    first, second = (part.view_as(x) for part in two_views(x.flatten(0, 1), generator, strength))
    y = torch.arange(m).expand(t, m)
    return batch._replace(support_x=first, support_y=y, query_x=second, query_y=y, classes=y)


SIMCLR = Method("simclr", SimCLR, "contrast of views, without labels", "headless", {"views": 0.75},
                {"steps": 1000, "tasks": 1, "lr": 4e-3}, train_way=32, train_query=1, of_pictures=True)
SUPCON = Method("supcon", SupCon, "contrast of classes", "headless", {"views": 0.5},
                {"steps": 1000, "tasks": 1, "lr": 4e-3}, train_way=64, train_query=1, of_pictures=True)
