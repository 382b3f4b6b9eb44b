"""What `mlcourse study making` trains: classifiers' bodies, and generators."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

import torch
from torch import Tensor, nn

from mlcourse.domains import Domain
from mlcourse.episode import Episode, EpisodeSampler
from mlcourse.episode.views import draws, view
from mlcourse.generators import DAGAN, FromSet, Generator, HandMade
from mlcourse.learner import Learner
from mlcourse.learners import R2D2, ManifoldMixup, MetaGAN, NeuralStatistician, SetVAEAugmented
from mlcourse.learners.statistician import BoundStatistician
from mlcourse.lessons.l10_data.pictures import splits
from mlcourse.nets import Conv4
from mlcourse.phases import Phase
from mlcourse.system.machine import one_core
from mlcourse.train import train

ALONE, VIEWS, SET, QUERY, GAN, RULE = (
    "support alone", "hand-made views", "set VAE", "set VAE, query loss", "DAGAN", "set VAE's own rule")
BOUND = "set VAE's bound"
SEEN, MIXUP, FAKE = "views in training", "manifold mixup", "MetaGAN"
MADE, BODIES = (VIEWS, SET, QUERY, GAN), (ALONE, SEEN, MIXUP, FAKE)
FEATURES, PIXELS = "features", "pixels"
SUPPORT, TRAINING, SAMPLES = "support", "training", "samples"
DRAWERS = 16            # drawings of every training class that anything is trained on; the others are held out
RATE, PENALTY, WIDTH = 1.6e-2, 100.0, 32
WAY = 5
STRENGTHS = (0.25, 0.5, 1.0)        # of hand-made views


@dataclass(frozen=True)
class Budget:
    """Steps of each training: of a body, of the set VAE by its bound, of the query loss after it, of DAGAN. episodes:
    that every accuracy is the mean of. width: of the bodies."""

    body: int = 300
    bound: int = 3600
    query: int = 150
    dagan: int = 400
    episodes: int = 150
    width: int = WIDTH


@cache
def drawings(name: str) -> tuple[Domain, Domain]:
    """The training classes of a data set, in their first DRAWERS drawings and in the others."""
    domain = splits(name).train
    place = torch.cat([torch.arange(int(count)) for count in domain.labels.bincount()])
    order = domain.labels.argsort(stable=True)
    return domain.take(order[place < DRAWERS]), domain.take(order[place >= DRAWERS])


@cache
def source(name: str) -> Domain:
    """What everything is trained on: the first drawings, turned by 90° as further classes."""
    return drawings(name)[0].with_rotations()


class InViews:
    """The episodes of a sampler, with a hand-made view beside every query. strength: as in `view`."""

    def __init__(self, sampler: EpisodeSampler, strength: float):
        self.sampler, self.strength = sampler, strength

    def sample(self, tasks: int, generator: torch.Generator) -> Episode:
        """A batch of episodes."""
        batch = self.sampler.sample(tasks, generator)
        x = batch.query_x.flatten(0, 1)
        seen = view(x, draws(len(x), generator), self.strength).view_as(batch.query_x)
        return batch._replace(query_x=torch.cat([batch.query_x, seen], 1),
                              query_y=torch.cat([batch.query_y, batch.query_y], 1))


def timed(learner: nn.Module, phases: list[Phase], seed: int) -> float:
    """Train on one core; the seconds that it took of it."""
    with one_core():
        start = time.thread_time()
        train(learner, phases, seed=seed, progress=False)
        learner.eval()
        return round(time.thread_time() - start, 1)


@cache
def body(name: str, arm: str, seed: int, budget: Budget, setting: float = 0.0) -> tuple[Learner, float]:
    """A trained body with its ridge regression, and the seconds. setting: of SEEN the strength of views, of MIXUP α, of
    FAKE the weight of the class of made pictures."""
    net = Conv4(0, budget.width, "stride", "layer", seed=seed)
    sampler = EpisodeSampler(source(name), 32, 1, 3)
    kinds: dict[str, Callable[[], Learner]] = {
        ALONE: partial(R2D2, net, PENALTY), SEEN: partial(R2D2, net, PENALTY),
        MIXUP: partial(ManifoldMixup, net, setting, PENALTY, seed=seed),
        FAKE: partial(MetaGAN, net, setting, 96, PENALTY, seed=seed)}
    learner = kinds[arm]()
    shown = InViews(sampler, setting) if arm == SEEN else sampler
    return learner, timed(learner, learner.phases(shown, budget.body, tasks=1, lr=RATE), seed)


@cache
def by_bound(name: str, seed: int, budget: Budget) -> tuple[NeuralStatistician, float]:
    """The set VAE, trained by its bound on sets of five drawings of one class, which is all that labels say."""
    learner = NeuralStatistician(seed=seed)
    sampler = EpisodeSampler(source(name), 16, 1, 4)
    return learner, timed(learner, learner.phases(sampler, budget.bound, tasks=1, lr=2e-3), seed)


class Flat(nn.Module):
    """A picture's pixels as its features."""

    size = 784

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1)


def ridge_on(classifier: str, name: str, seed: int, budget: Budget) -> R2D2:
    """The ridge regression that all generators serve, on the features of the body or on pixels."""
    if classifier == FEATURES:
        return body(name, ALONE, seed, budget)[0]
    return R2D2(Flat(), 10.0, 10.0).eval()


@cache
def by_queries(name: str, classifier: str, seed: int, budget: Budget) -> tuple[SetVAEAugmented, float]:
    """The same set VAE, trained further by the loss of queries of training classes; the classifier stays as it is."""
    ridge = ridge_on(classifier, name, seed, budget)
    learner = SetVAEAugmented(ridge.net, 5, 1, seed=seed)
    for own, given in ((learner.log_penalty, ridge.log_penalty), (learner.log_scale, ridge.log_scale)):
        own.data.copy_(given.data)
        own.requires_grad_(False)
    learner.net.requires_grad_(False)
    learner.statistician.load_state_dict(by_bound(name, seed, budget)[0].state_dict())
    sampler = EpisodeSampler(source(name), WAY, 1, 5)
    return learner, timed(learner, [learner.by_queries(sampler, budget.query, tasks=4, lr=5e-4)], seed)


@cache
def dagan(name: str, seed: int, budget: Budget) -> tuple[DAGAN, float]:
    """The conditional GAN."""
    learner = DAGAN(seed=seed)
    return learner, timed(learner, learner.phases(EpisodeSampler(source(name), 32, 1, 1), budget.dagan), seed)


def maker(name: str, arm: str, classifier: str, seed: int, budget: Budget) -> tuple[Generator, float]:
    """The generator of an arm, and the seconds of its training."""
    if arm == VIEWS:
        return views(STRENGTHS[1]), 0.0
    if arm == GAN:
        return dagan(name, seed, budget)
    trained, seconds = by_bound(name, seed, budget)
    if arm == QUERY:
        augmented, seconds = by_queries(name, classifier, seed, budget)
        trained = augmented.statistician
    return from_set(trained), seconds


def statistician(name: str, arm: str, seed: int, budget: Budget) -> tuple[NeuralStatistician, float]:
    """The set VAE of the bound as a classifier, by the divergence of codes (RULE) or by its bound (BOUND)."""
    learner, seconds = by_bound(name, seed, budget)
    if arm == RULE:
        return learner, seconds
    other = BoundStatistician().eval()
    other.load_state_dict(learner.state_dict())
    return other, seconds


views = cache(HandMade)


@cache
def from_set(learner: NeuralStatistician) -> FromSet:
    """The samples of a trained set VAE."""
    return FromSet(learner.vae)
