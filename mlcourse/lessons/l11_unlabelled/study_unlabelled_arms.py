"""The arms of `mlcourse study unlabelled`: what is trained on what, and how it is judged."""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn

from mlcourse.datasets import load_splits
from mlcourse.domains import Domain
from mlcourse.episode import Episode, EpisodeSampler
from mlcourse.episode.pools import UnevenPools
from mlcourse.evaluate import percent_right
from mlcourse.learner import Learner
from mlcourse.learners import MaskedSoftKMeans, ProtoNet, SoftKMeans, SoftKMeansCluster
from mlcourse.lessons.l11_unlabelled.controls import BalancedKMeans, HardPseudoLabels
from mlcourse.nets import Conv4
from mlcourse.system.machine import one_core
from mlcourse.train import train

WAY, SHOT, UNLABELLED, OTHERS = 5, 1, 5, 5
TRAIN_QUERY, QUERY = 5, 4       # four queries at test leave 15 of 20 drawings of a class for an uneven pool
VALIDATION, TEST = 1, 2         # seeds of two sets of episodes
RATES = (3e-3, 1e-2, 1e-3, 3e-4)    # of the further steps; the first was chosen
EVEN = float("inf")
BALANCES = {"even": EVEN, "5": 5.0, "2": 2.0, "1": 1.0, "0.5": 0.5, "0.2": 0.2}     # concentrations, by name
START_WAY, START_QUERY, START_RATE, WIDTH = 20, 3, 1e-2, 16         # of the ProtoNet that all arms start from
GLYPHS, OMNIGLOT = "glyphs", "omniglot"
PARTS = {GLYPHS: 150, OMNIGLOT: 1000}       # steps of its training


@dataclass(frozen=True)
class Arm:
    """kind: the method at test. trained: what the further steps train, on pools of this concentration. parts: that have
    it. is_candidate: whether the rate is chosen by it. is_told: whether it is told the labels of the pool at test, as a
    ceiling."""

    kind: type[ProtoNet]
    trained: type[ProtoNet]
    concentration: float = EVEN
    parts: tuple[str, ...] = (GLYPHS, OMNIGLOT)
    is_candidate: bool = False
    is_told: bool = False


PROTO, SOFT, CLUSTER, MASKED, BALANCED = "ProtoNet", "soft k-means", "+ cluster", "masked", "balanced"
UNEVEN = "masked, uneven training"
SOFT_AT_TEST, HARD_AT_TEST, BALANCED_AT_TEST, TOLD = (
    "soft k-means at test", "hard pseudo-labels at test", "balanced at test", "told the pool's labels")
ARMS = {
    PROTO: Arm(ProtoNet, ProtoNet, is_candidate=True),
    SOFT: Arm(SoftKMeans, SoftKMeans, is_candidate=True),
    CLUSTER: Arm(SoftKMeansCluster, SoftKMeansCluster, is_candidate=True),
    MASKED: Arm(MaskedSoftKMeans, MaskedSoftKMeans, is_candidate=True),
    BALANCED: Arm(BalancedKMeans, BalancedKMeans, parts=(GLYPHS,)),
    UNEVEN: Arm(MaskedSoftKMeans, MaskedSoftKMeans, 1.0, parts=(GLYPHS,)),
    SOFT_AT_TEST: Arm(SoftKMeans, ProtoNet),
    HARD_AT_TEST: Arm(HardPseudoLabels, ProtoNet),
    BALANCED_AT_TEST: Arm(BalancedKMeans, ProtoNet),
    TOLD: Arm(ProtoNet, ProtoNet, is_told=True),
}


@cache
def data(name: str) -> tuple[Domain, Domain, Domain]:
    """Training classes, turned by 90° as further classes, validation and test classes of "glyphs" or "omniglot"."""
    splits = load_splits(name)
    return splits.train.with_rotations(), splits.val, splits.test


class Seed:
    """What one training seed trains on the classes of `source`, each thing once: a ProtoNet for `start` steps, and from
    it every method for `further` steps at a rate. width: of the network."""

    def __init__(self, source: Domain, rate: float, seed: int, start: int, further: int, width: int):
        self.source, self.rate, self.seed, self.further = source, rate, seed, further
        self.net = Conv4(0, width, "max", "layer", seed=seed)
        self.trained: dict[tuple, tuple[Learner, float]] = {}
        self.features: dict[tuple, Tensor] = {}
        made = ProtoNet(self.net)
        sampler = EpisodeSampler(source, START_WAY, SHOT, START_QUERY)
        with one_core():
            train(made, made.phases(sampler, start, tasks=1, lr=START_RATE), seed=seed, progress=False)

    def learner(self, arm: Arm, distractors: int) -> tuple[tuple, Learner, float]:
        """What an arm trains, known by a key, and the seconds of one core of its further steps."""
        key = (arm.trained, arm.concentration, distractors if arm.trained is not ProtoNet else 0)
        if key not in self.trained:
            seeded = {"seed": self.seed} if arm.trained is MaskedSoftKMeans else {}
            made = arm.trained(copy.deepcopy(self.net), **seeded)
            sampler = (EpisodeSampler(self.source, WAY, SHOT, TRAIN_QUERY) if arm.trained is ProtoNet else
                       UnevenPools(self.source, WAY, SHOT, TRAIN_QUERY, unlabeled=UNLABELLED, distractors=distractors,
                                   concentration=arm.concentration))
            with one_core():
                began = time.thread_time()
                train(made, made.phases(sampler, self.further, tasks=1, lr=self.rate), seed=self.seed, progress=False)
                self.trained[key] = made.eval(), round(time.thread_time() - began, 1)
        return key, *self.trained[key]

    def judged(self, arm: Arm, distractors: int, domain: Domain, episodes: int, seed: int) -> dict:
        """Accuracy (%) of an arm on fixed episodes of a domain at each balance, and what of its even pool counts."""
        key, made, seconds = self.learner(arm, distractors)
        drawn = [Indices(domain, distractors, a).sample(episodes, torch.Generator().manual_seed(seed))
                 for a in BALANCES.values()]
        with one_core(), torch.no_grad():
            if key not in self.features:
                self.features[key] = torch.cat([made.net.features(x.float() / 255) for x in domain.images.split(500)])
            found = on_features(made if arm.kind is arm.trained else arm.kind(made.net))
            shown = [told(each, domain) if arm.is_told else each for each in drawn]
            batches = [of_features(each, self.features[key]) for each in shown]
            predicted = [torch.vmap(lambda e: found.predict(found.adapt(e), e.query_x))(batch) for batch in batches]
            weights = counted(found, batches[0], drawn[0], domain)
        return {"balance": list(BALANCES), "largest": [largest(each, domain) for each in drawn],
                "accuracy": [percent(logits, batch.query_y) for logits, batch in zip(predicted, batches, strict=True)],
                **weights, "core_seconds": seconds}


class Indices(UnevenPools):
    """Episodes of the places of images in place of the images. OTHERS distractor classes are drawn and left out where
    there are to be none, so that support and queries are the same with and without."""

    def __init__(self, domain: Domain, distractors: int, concentration: float):
        super().__init__(domain, WAY, SHOT, QUERY, unlabeled=UNLABELLED, distractors=OTHERS,
                         concentration=concentration)
        self.shown = distractors

    def pool(self, own: Tensor, others: Tensor, generator: torch.Generator) -> Tensor:
        """As it is, with the first of the distractor classes."""
        return super().pool(own, others[:, :self.shown], generator)

    def pixels(self, index: Tensor) -> Tensor:
        """The places themselves."""
        return index


def of_features(places: Episode, z: Tensor) -> Episode:
    """A batch of places with the features z (M, D) of the images there."""
    return places._replace(support_x=z[places.support_x], query_x=z[places.query_x], unlabeled_x=z[places.unlabeled_x])


def on_features(made: Learner) -> Learner:
    """The same learner for samples that are features already."""
    other = copy.copy(made)
    other._modules = dict(made._modules, net=nn.Identity())
    return other


def percent(logits: Tensor, labels: Tensor) -> float:
    """The accuracy (%) of logits (T, M, N) against labels (T, M)."""
    return percent_right(logits.flatten(0, 1), labels.flatten())


def of_class(places: Episode, domain: Domain) -> Tensor:
    """Which class of its episode each unlabelled sample is of (T, U, N); none for a distractor."""
    return domain.labels[places.unlabeled_x][..., None] == places.classes[:, None]


def told(places: Episode, domain: Domain) -> Episode:
    """The episodes with the unlabelled samples of their classes in the support set, and without the distractors."""
    classes = of_class(places, domain)
    is_own, rows = classes.any(-1), len(classes)
    pool, y = places.unlabeled_x[is_own].view(rows, -1), classes.long().argmax(-1)[is_own].view(rows, -1)
    return places._replace(support_x=torch.cat([places.support_x, pool], 1), unlabeled_x=places.unlabeled_x[:, :0],
                           support_y=torch.cat([places.support_y, y], 1))


def largest(places: Episode, domain: Domain) -> float:
    """The mean share (%) of the commonest class among the unlabelled samples of an episode's classes."""
    counts = of_class(places, domain).sum(1).float()
    return round(100 * float((counts.amax(-1) / counts.sum(-1)).mean()), 1)


def counted(learner: Learner, batch: Episode, places: Episode, domain: Domain) -> dict:
    """How much an unlabelled sample of the episode's classes, and a distractor, weighs in the prototypes of all classes
    together, on average; nothing for what has no weights."""
    if not isinstance(learner, SoftKMeans):
        return {}

    def weight(episode: Episode) -> Tensor:
        means, _ = learner.start(*learner.labelled(episode)[:2])
        return learner.weights(episode.unlabeled_x, means)[..., :episode.way].sum(-1)

    weights, is_own = torch.vmap(weight)(batch), of_class(places, domain).any(-1)
    found = {"weight_own": round(float(weights[is_own].mean()), 4)}
    return found if is_own.all() else {**found, "weight_distractors": round(float(weights[~is_own].mean()), 4)}
