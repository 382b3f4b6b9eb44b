"""Where alignment hurts: a target whose classes have other proportions than the source's, more and more so.

Source: typeset digits, every class alike. Target: UCI handwritten digits; three classes, other ones for every seed, are
given a growing share of the pictures. Every method sees 280 unlabelled pictures of the target and is judged on its test
half, in the target's own proportions. 16×16 pictures and a narrow network (`mlcourse.small`).
"""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace
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
from mlcourse.lessons.l13_adaptation.figures import label_shift
from mlcourse.losses.alignment import information
from mlcourse.plots.static import Picture
from mlcourse.rows import facts
from mlcourse.studies.study import Key, Study
from mlcourse.system.machine import in_parallel
from mlcourse.train import train

KEY = ("arm", "weight", "distance", "seed")
ALIGNED = {"CORAL": CORAL, "DANN": DANN}
ACROSS = {"MLDG": MLDG, "adapter": Adapter}     # trained between typefaces; they see no target before the test
CONTROL = "AdaBN, trained on"                   # as many more steps as the others, on the source alone


@dataclass(frozen=True)
class Budget:
    """distances: total variation between the target's class proportions and uniform ones. coral, dann: weights of the
    alignment. source_steps, steps: of the source network and of every arm from it on. width: of the network, in filters.
    pictures: at most of each class, in source and target. known: source pictures for the source's statistics; unlabeled:
    pictures of the target that methods see. splits, size: of PAD."""

    distances: tuple[float, ...] = (0.0, 0.3, 0.6)
    coral: tuple[float, ...] = (1.0, 10.0, 100.0)
    dann: tuple[float, ...] = (0.1, 0.3, 1.0)
    source_steps: int = small.SOURCE_STEPS
    steps: int = small.STEPS
    width: int = small.WIDTH
    pictures: int | None = None
    known: int = small.KNOWN
    unlabeled: int = small.UNLABELED
    splits: int = 5
    size: int = 280

    def weights(self, arm: str) -> tuple[float, ...]:
        """The weights of an arm; 0 where it has none."""
        return {"CORAL": self.coral, "DANN": self.dann}.get(arm, (0.0,))


class LabelShiftSeed(NamedTuple):
    """One seed: source, the target's halves, the three classes that a label shift favours, and the source network."""

    seed: int
    budget: Budget
    source: Domain
    train: Domain
    test: Domain
    frequent: list[int]
    base: AdaBN


@lru_cache(maxsize=1)
def of_seed(seed: int, budget: Budget = Budget()) -> LabelShiftSeed:
    """The parts of a seed, its source network trained."""
    source, target = (small.shrunk(load(f"{name}@unframed").first(budget.pictures))
                      for name in ("glyphs-digits", "digits"))
    frequent = torch.randperm(len(source.classes), generator=torch.Generator().manual_seed(seed))
    base = small.source_network(source, seed, steps=budget.source_steps, width=budget.width)
    return LabelShiftSeed(seed, budget, source, *halves(target), frequent[:small.FREQUENT].tolist(), base)


def target(s: LabelShiftSeed, distance: float) -> tuple[Domain, Tensor]:
    """The unlabelled pictures of the target, and its class proportions."""
    q = small.proportions(len(s.source.classes), s.frequent, distance)
    return small.drawn(s.train, q, s.budget.unlabeled, s.seed), q


def measured(s: LabelShiftSeed, learner: Learner, seen: Domain, q: Tensor, adapts: bool = True) -> dict:
    """What one learner reaches on the target; adapts: False for the source's statistics."""
    params = learner.adapt(small.source_and_target(s.source, seen, s.seed)).params
    source, unlabeled = small.known(s.source, s.seed, s.budget.known), pixels(seen.images)
    said = lambda x: small.views(learner.net, source, x, unlabeled if adapts else None, params)
    on_seen, on_test = said(unlabeled), said(pixels(s.test.images))
    by_class = small.class_accuracies(on_test.logits, s.test.labels)
    pad = proxy_a_distance(on_seen.source, on_seen.target, s.seed, s.budget.splits, s.budget.size)
    shares = small.predicted_shares(on_test.logits, s.test.labels, q)
    values = {"accuracy": 100 * float(q @ by_class), "balanced": 100 * float(by_class.mean()), "pad": pad.value,
              "floor": proxy_a_floor(on_seen.target, s.seed, s.budget.splits, s.budget.size).value,
              "information": float(information(on_seen.logits)),
              "predicted": float((shares - 1 / len(q)).abs().sum() / 2)}
    return {name: round(value, 4) for name, value in values.items()}


def trained(s: LabelShiftSeed, sampler: DomainSampler, kinds: list) -> list[Learner]:
    """Learners around copies of the source network, trained on, one on each core. kinds: network → learner."""
    made = [kind(copy.deepcopy(s.base.net)) for kind in kinds]
    one = lambda learner: train(learner, learner.phases(sampler, s.budget.steps, tasks=1, lr=small.RATE),
                                seed=s.seed, progress=False)
    in_parallel(one, made)
    return made


def plan(asked: SimpleNamespace, budget: Budget) -> list[Key]:
    """Every arm, weight, distance and seed."""
    return [(arm, weight, distance, seed) for seed in asked.seeds for distance in budget.distances
            for arm in (*ACROSS, CONTROL, "no adaptation", "AdaBN", *ALIGNED) for weight in budget.weights(arm)]


def rows(asked: SimpleNamespace, budget: Budget, todo: Sequence[Key], kept: Sequence[dict]) -> Iterator[dict]:
    """The rows of `todo`; what is trained together is measured together."""
    for seed in dict.fromkeys(seed for *_, seed in todo):
        s = of_seed(seed, budget)
        for made in (across(s, todo), control(s, todo), unchanged(s, todo), aligned(s, todo)):
            yield from made


def across(s: LabelShiftSeed, todo: Sequence[Key]) -> Iterator[dict]:
    """MLDG and the adapter: each is trained once, between typefaces, and judged on every target."""
    wanted = [key for key in todo if key[0] in ACROSS and key[-1] == s.seed]
    if wanted:
        start = time.perf_counter()
        faces = [small.shrunk(face.first(s.budget.pictures)) for face in load_digits_by_face().values()]
        sampler = DomainSampler(faces, small.SHOT, small.SHOT, unlabeled=small.SHOT)
        learners = dict(zip(ACROSS, trained(s, sampler, list(ACROSS.values())), strict=True))
        yield from (row(s, key, learners[key[0]], start=start) for key in wanted)


def control(s: LabelShiftSeed, todo: Sequence[Key]) -> Iterator[dict]:
    """AdaBN on the source network after more steps on the source: what the steps of CORAL and DANN do without an
    alignment. It is trained once and judged on every target."""
    wanted = [key for key in todo if key[0] == CONTROL and key[-1] == s.seed]
    if wanted:
        start = time.perf_counter()
        sampler = DomainSampler([s.source], small.SHOT, 1, unlabeled=1, target=s.train)
        learner, = trained(s, sampler, [AdaBN])
        yield from (row(s, key, learner, start=start) for key in wanted)


def unchanged(s: LabelShiftSeed, todo: Sequence[Key]) -> Iterator[dict]:
    """The source network with the statistics of either domain."""
    for key in todo:
        if key[0] in ("no adaptation", "AdaBN") and key[-1] == s.seed:
            yield row(s, key, s.base, key[0] == "AdaBN")


def aligned(s: LabelShiftSeed, todo: Sequence[Key]) -> Iterator[dict]:
    """CORAL and DANN, all weights of one target together."""
    wanted = [key for key in todo if key[0] in ALIGNED and key[-1] == s.seed]
    for arm, distance in dict.fromkeys((arm, distance) for arm, _, distance, _ in wanted):
        start = time.perf_counter()
        weights = [weight for name, weight, d, _ in wanted if (name, d) == (arm, distance)]
        seen, _ = target(s, distance)
        sampler = DomainSampler([s.source], small.SHOT, 1, unlabeled=small.SHOT, target=seen)
        kinds = [lambda net, weight=weight: ALIGNED[arm](net, weight) for weight in weights]
        for weight, learner in zip(weights, trained(s, sampler, kinds), strict=True):
            yield row(s, (arm, weight, distance, s.seed), learner, start=start)


def row(s: LabelShiftSeed, key: Key, learner: Learner, adapts: bool = True, start: float | None = None) -> dict:
    """The row of a key. seconds: since `start`, shared with the rows of the same training."""
    start, (arm, weight, distance, seed) = start or time.perf_counter(), key
    values = measured(s, learner, *target(s, distance), adapts)
    return {"arm": arm, "weight": weight, "distance": distance, **values, "frequent": s.frequent,
            "seconds": round(time.perf_counter() - start, 1),
            **facts(f"mlcourse study label-shift --seed {seed}", seed)}


def line(row: dict) -> str:
    """One line of the table."""
    name = f"{row['arm']} {row['weight']:g}" if row["weight"] else row["arm"]
    return (f"label distance {row['distance']:.1f}   seed {row['seed']}   {name:14s} accuracy {row['accuracy']:5.1f} %"
            f"   balanced {row['balanced']:5.1f} %   PAD {row['pad']:5.2f}   information {row['information']:.2f} nats")


def pictures(asked: SimpleNamespace, found: Sequence[dict]) -> Mapping[str, Picture]:
    """Accuracy against the distance of the labels."""
    return {"": label_shift(found)}


STUDY = Study(
    "label-shift",
    """Lesson 13: where alignment hurts. Typeset to handwritten digits, the target's class proportions further and further
    from the source's: no adaptation, AdaBN, CORAL and DANN at three weights, MLDG and the adapter.

    16×16 pictures and a narrow network; about a minute for each seed on two cores.""",
    ("", "--seed 0"), KEY, Budget(), plan, rows, line, pictures=pictures)
