"""The arms of `mlcourse study comparing`: what is trained on what, and how it is judged."""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mlcourse.datasets import load_splits
from mlcourse.domains import Domain
from mlcourse.episode import Episode, EpisodeSampler
from mlcourse.evaluate import scores
from mlcourse.learner import Learner
from mlcourse.learners import NCA, RelationNet, SupCon
from mlcourse.nets import Conv4
from mlcourse.probes import few_shot
from mlcourse.system.machine import one_core
from mlcourse.train import train

WAY, QUERY = 5, 15
PICTURES = 128                          # of a training step on glyphs
VALIDATION, TEST = 1, 2                 # seeds of two sets of episodes


class UnitNCA(NCA):
    """NCA on features of unit length: exp(-|z_i - z_j|²/τ) is then exp(2 cos/τ), up to a factor."""

    stacks = True

    def embed(self, x: Tensor, stats: tuple = (), tasks: tuple = ()) -> Tensor:
        """f_θ(x) at unit length."""
        return F.normalize(super().embed(x, stats, tasks), dim=-1)


class AnyPictures:
    """Batches of `count` pictures drawn regardless of class, with their labels: all stand in the support set."""

    def __init__(self, domain: Domain, count: int):
        self.domain, self.way, self.shot, self.query = domain, len(domain.classes), count, 0

    def sample(self, tasks: int, generator: torch.Generator) -> Episode:
        """`tasks` batches; label and class id are the same."""
        rows = torch.randint(len(self.domain.images), (tasks, self.shot), generator=generator)
        x, y = self.domain.images[rows].float() / 255, self.domain.labels[rows]
        classes = torch.arange(self.way).expand(tasks, -1)
        return Episode(x, y, x[:, :0], y[:, :0], x[:, :0], classes, torch.zeros(tasks, dtype=torch.int64))


@dataclass(frozen=True)
class Arm:
    """What is trained. kind: the method. way, query: of a 1-shot training episode, or of a batch of way × (1 + query)
    pictures; way 0: batches regardless of class. lr: the outer rate, annealed to 0 by a cosine. settings: of the
    constructor. pool, width: of Conv4. steps: of training."""

    kind: type[Learner]
    way: int
    query: int
    lr: float
    settings: Mapping = field(default_factory=lambda: MappingProxyType({}))
    pool: str = "stride"
    width: int = 64
    steps: int = 300

    @property
    def pictures(self) -> int:
        """That a step sees."""
        return self.way * (1 + self.query) or PICTURES


@cache
def data(name: str) -> tuple[Domain, Domain, Domain]:
    """Training classes, turned by 90° as further classes, validation and test classes of "glyphs" or "omniglot"."""
    splits = load_splits(name)
    return splits.train.with_rotations(), splits.val, splits.test


def trained(arm: Arm, source: Domain, seed: int) -> tuple[Learner, float]:
    """The trained arm, and the seconds of one core. Layer norms: no prediction depends on other queries."""
    seeded = {"seed": seed} if arm.kind in (RelationNet, SupCon) else {}
    made = arm.kind(Conv4(0, arm.width, arm.pool, "layer", seed=seed), **arm.settings, **seeded)
    sampler = EpisodeSampler(source, arm.way, 1, arm.query) if arm.way else AnyPictures(source, PICTURES)
    with one_core():
        start = time.thread_time()
        train(made, made.phases(sampler, arm.steps, tasks=1, lr=arm.lr), seed=seed, progress=False)
        return made.eval(), round(time.thread_time() - start, 1)


class Features(EpisodeSampler):
    """Episodes of a domain, each picture replaced by its features z (M, D)."""

    def __init__(self, domain: Domain, z: Tensor, shot: int):
        super().__init__(domain, WAY, shot, QUERY)
        self.z = z

    def pixels(self, index: Tensor) -> Tensor:
        """The features of the pictures at these indices."""
        return self.z[index]


class Averaged(Features):
    """As `Features`, those of the support set divided by the shots: what sums over shots then takes their mean."""

    def sample(self, tasks: int, generator: torch.Generator) -> Episode:
        """`tasks` episodes."""
        drawn = super().sample(tasks, generator)
        return drawn._replace(support_x=drawn.support_x / self.shot)


@torch.no_grad()
def embedded(made: Learner, domain: Domain) -> Tensor:
    """The features (M, D) that the network makes of every picture of a domain, once."""
    with one_core():
        return torch.cat([made.net.features(part.float() / 255) for part in domain.images.split(500)])


def on_features(made: Learner) -> Learner:
    """The same learner for samples that are features already."""
    other = copy.copy(made)
    other._modules = dict(made._modules, net=nn.Identity())
    return other


def judged(made: Learner, domain: Domain, z: Tensor, shot: int, episodes: int, seed: int) -> dict:
    """Accuracy (%) on fixed episodes of a domain with features z: as the method predicts, and by the nearest class mean
    of the features as they are ("raw") and at unit length ("unit"); of RelationNet on several shots also as it predicts
    from the mean of a class's maps in place of their sum ("averaged")."""
    draws = {"shot": shot, "episodes": episodes, "seed": seed}
    of = lambda kind: percent(scores(on_features(made), kind(domain, z, shot), episodes, seed=seed))
    averaged = {"averaged": of(Averaged)} if isinstance(made, RelationNet) and shot > 1 else {}
    return {"accuracy": of(Features), **averaged,
            "raw": percent(few_shot(z, domain, **draws)),
            "unit": percent(few_shot(F.normalize(z, dim=1), domain, **draws))}


def percent(values: Tensor) -> float:
    """The mean of shares, in per cent."""
    return round(100 * float(values.mean()), 3)
