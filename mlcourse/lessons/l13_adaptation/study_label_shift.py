"""Where alignment hurts: a target whose classes have other proportions than the source's, more and more so.

Source: typeset digits, every class alike. Target: UCI handwritten digits; three classes, other ones for every seed, are
given a growing share of the pictures. Every method sees 280 unlabelled pictures of the target and is judged on its test
half, in the target's own proportions. 16×16 pictures and a narrow network (`mlcourse.small`).
"""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from mlcourse import small
from mlcourse.datasets import load
from mlcourse.datasets.glyphs import load_digits_by_face
from mlcourse.domains import Domain
from mlcourse.domains.distances import proxy_a_distance, proxy_a_floor
from mlcourse.episode.across import DomainSampler, halves, pixels
from mlcourse.learner import Learner
from mlcourse.learners import CORAL, DANN, MLDG, AdaBN, Adapter
from mlcourse.losses.alignment import information
from mlcourse.rows import facts
from mlcourse.system.machine import in_parallel
from mlcourse.train import train

KEY = ("arm", "weight", "distance", "seed")
SEEDS = 5
DISTANCES = (0.0, 0.3, 0.6)             # total variation between the target's class proportions and uniform ones
WEIGHTS = {"CORAL": (1.0, 10.0, 100.0), "DANN": (0.1, 0.3, 1.0)}
ALIGNED = {"CORAL": CORAL, "DANN": DANN}
ACROSS = {"MLDG": MLDG, "adapter": Adapter}     # trained between typefaces; they see no target before the test
CONTROL = "AdaBN, trained on"                   # as many more steps as the others, on the source alone
SPLITS, SIZE = 5, 280                           # of the distances


class LabelShiftSeed(NamedTuple):
    """One seed: source, the target's halves, the three classes that a label shift favours, and the source network."""

    source: Domain
    train: Domain
    test: Domain
    frequent: list[int]
    base: AdaBN


@lru_cache(maxsize=1)
def of_seed(seed: int) -> LabelShiftSeed:
    """The parts of a seed, its source network trained."""
    source = small.shrunk(load("glyphs-digits"))
    frequent = torch.randperm(len(source.classes), generator=torch.Generator().manual_seed(seed))
    return LabelShiftSeed(source, *halves(small.shrunk(load("digits"))), frequent[:small.FREQUENT].tolist(),
                 small.source_network(source, seed))


def target(s: LabelShiftSeed, distance: float, seed: int) -> tuple[Domain, Tensor]:
    """The unlabelled pictures of the target, and its class proportions."""
    q = small.proportions(len(s.source.classes), s.frequent, distance)
    return small.drawn(s.train, q, small.UNLABELED, seed), q


def measured(s: LabelShiftSeed, learner: Learner, seen: Domain, q: Tensor, seed: int, adapts: bool = True) -> dict:
    """What one learner reaches on the target; adapts: False for the source's statistics."""
    params = learner.adapt(small.source_and_target(s.source, seen, seed)).params
    source, unlabeled = small.known(s.source, seed), pixels(seen.images)
    said = lambda x: small.views(learner.net, source, x, unlabeled if adapts else None, params)
    on_seen, on_test = said(unlabeled), said(pixels(s.test.images))
    by_class = small.class_accuracies(on_test.logits, s.test.labels)
    pad = proxy_a_distance(on_seen.source, on_seen.target, seed, SPLITS, SIZE)
    shares = small.predicted_shares(on_test.logits, s.test.labels, q)
    values = {"accuracy": 100 * float(q @ by_class), "balanced": 100 * float(by_class.mean()), "pad": pad.value,
              "floor": proxy_a_floor(on_seen.target, seed, SPLITS, SIZE).value,
              "information": float(information(on_seen.logits)),
              "predicted": float((shares - 1 / len(q)).abs().sum() / 2)}
    return {name: round(value, 4) for name, value in values.items()}


def trained(s: LabelShiftSeed, sampler: DomainSampler, kinds: list, seed: int) -> list[Learner]:
    """Learners around copies of the source network, trained on, one on each core. kinds: network → learner."""
    made = [kind(copy.deepcopy(s.base.net)) for kind in kinds]
    one = lambda learner: train(learner, learner.phases(sampler, small.STEPS, tasks=1, lr=small.RATE),
                                seed=seed, progress=False)
    in_parallel(one, made)
    return made


def rows(seeds: list[int], done: set[tuple] = frozenset()) -> Iterator[dict]:
    """A row for every arm, weight, distance and seed that is not done; those of one training come together."""
    for seed in seeds:
        missing = lambda arm, weights, distance, seed=seed: any((arm, weight, distance, seed) not in done
                                                                for weight in weights)
        if any(missing(arm, (0.0,), distance) for arm in ACROSS for distance in DISTANCES):
            yield from across(seed)
        if any(missing(CONTROL, (0.0,), distance) for distance in DISTANCES):
            yield from control(seed)
        for distance in DISTANCES:
            for arm, adapts in (("no adaptation", False), ("AdaBN", True)):
                if missing(arm, (0.0,), distance):
                    yield row(arm, 0.0, distance, seed, lambda s: s.base, adapts)
            for arm, weights in WEIGHTS.items():
                if missing(arm, weights, distance):
                    yield from aligned(arm, distance, seed)


def across(seed: int) -> Iterator[dict]:
    """MLDG and the adapter: each is trained once, between typefaces, and judged on every target."""
    start, s = time.perf_counter(), of_seed(seed)
    faces = [small.shrunk(face) for face in load_digits_by_face().values()]
    sampler = DomainSampler(faces, small.SHOT, small.SHOT, unlabeled=small.SHOT)
    for arm, learner in zip(ACROSS, trained(s, sampler, list(ACROSS.values()), seed), strict=True):
        for distance in DISTANCES:
            yield row(arm, 0.0, distance, seed, lambda _, learner=learner: learner, True, start)


def control(seed: int) -> Iterator[dict]:
    """AdaBN on the source network after more steps on the source: what the steps of CORAL and DANN do without an
    alignment. It is trained once and judged on every target."""
    start, s = time.perf_counter(), of_seed(seed)
    sampler = DomainSampler([s.source], small.SHOT, 1, unlabeled=1, target=s.train)
    learner, = trained(s, sampler, [AdaBN], seed)
    for distance in DISTANCES:
        yield row(CONTROL, 0.0, distance, seed, lambda _: learner, True, start)


def aligned(arm: str, distance: float, seed: int) -> Iterator[dict]:
    """CORAL or DANN at every weight on one target."""
    start, s = time.perf_counter(), of_seed(seed)
    seen, _ = target(s, distance, seed)
    sampler = DomainSampler([s.source], small.SHOT, 1, unlabeled=small.SHOT, target=seen)
    kinds = [lambda net, weight=weight: ALIGNED[arm](net, weight) for weight in WEIGHTS[arm]]
    for weight, learner in zip(WEIGHTS[arm], trained(s, sampler, kinds, seed), strict=True):
        yield row(arm, weight, distance, seed, lambda _, learner=learner: learner, True, start)


def row(arm: str, weight: float, distance: float, seed: int, learner, adapts: bool, start: float | None = None) -> dict:
    """One row; learner: seed → learner. seconds: since `start`, shared with the rows of the same training."""
    start, s = start or time.perf_counter(), of_seed(seed)
    values = measured(s, learner(s), *target(s, distance, seed), seed, adapts)
    return {"arm": arm, "weight": weight, "distance": distance, **values, "frequent": s.frequent,
            "seconds": round(time.perf_counter() - start, 1),
            **facts(f"mlcourse study label-shift --seed {seed}", seed)}


def line(row: dict) -> str:
    """One line of the table."""
    name = f"{row['arm']} {row['weight']:g}" if row["weight"] else row["arm"]
    return (f"label distance {row['distance']:.1f}   seed {row['seed']}   {name:14s} accuracy {row['accuracy']:5.1f} %"
            f"   balanced {row['balanced']:5.1f} %   PAD {row['pad']:5.2f}   information {row['information']:.2f} nats")
