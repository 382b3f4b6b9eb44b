"""The shift dial over seeds: accuracy of a fixed classifier, PAD and MMD against the severity of every kind of shift.

Each seed deals the typeset digits anew into pictures to train on, home pictures and pictures to shift, and trains a
classifier of its own. Digits stand in the frame but where the kind is to leave it. Nothing is chosen on any shifted
picture.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import torch

from mlcourse.datasets import DataError, factors, load
from mlcourse.datasets.frame import framed
from mlcourse.domains import SHIFTS, Domain, deal, shift_domain
from mlcourse.domains.distances import MMD, PAD, mmd, proxy_a_distance, proxy_a_floor
from mlcourse.episode import EpisodeSampler
from mlcourse.learners import NoAdaptation
from mlcourse.lessons.l01_domains.figures import dial_curves
from mlcourse.nets import Conv4
from mlcourse.plots.static import Picture
from mlcourse.rows import facts
from mlcourse.studies.study import Key, Study
from mlcourse.supervised import accuracy
from mlcourse.train import train

KEY = ("kind", "seed")
SHARES = (0.5, 0.25, 0.25)      # of the typeset digits: to train on, home, to be shifted
QUERIES, RATE = 5, 2e-3
OTHERS = {"UCI digits": "digits", "MNIST": "mnist"}
COARSE = "8×8 and back"         # the typeset digits at the resolution of the UCI scans
AS_IT_COMES = "not in the frame"
COARSE_MNIST = "MNIST, 8×8 and back"
WORLDS = (AS_IT_COMES, COARSE, *OTHERS, COARSE_MNIST)
AGAIN = ", again"               # a domain against itself: its floor
KINDS = (*SHIFTS, *factors.KINDS, *WORLDS, "typeset digits" + AGAIN, "UCI digits" + AGAIN)


@dataclass(frozen=True)
class Budget:
    """steps: of the classifier. sample: pictures or points of each domain that a distance compares. points: home points
    that the line is fitted to."""

    severities: tuple[float, ...] = tuple(i / 10 for i in range(11))
    steps: int = 300
    sample: int = 500
    points: int = 2000


class ShiftSeed(NamedTuple):
    """One seed's typeset digits, the classifier trained on the first part, and the kernel width of all its MMDs."""

    home: Domain
    away: Domain
    learner: NoAdaptation
    bandwidth: float


@lru_cache(maxsize=1)
def of_seed(seed: int, budget: Budget = Budget()) -> ShiftSeed:
    """The digits dealt, and the classifier trained, by this seed. The kernel width is the median distance at home."""
    training, home, away = deal(load("glyphs-digits"), SHARES, seed)
    learner = NoAdaptation(Conv4(10, width=32, norm="none", seed=seed))
    sampler = EpisodeSampler(training, 10, 1, QUERIES, relabel=False)
    train(learner, learner.phases(sampler, steps=budget.steps, tasks=1, lr=RATE), seed=seed, progress=False)
    return ShiftSeed(home, away, learner, mmd(home, away, seed, permutations=1, size=budget.sample).bandwidth)


def coarse(domain: Domain) -> Domain:
    """Every picture at the resolution of the UCI scans: the longer edge of its ink is brought to 8 pixels, and back
    into the frame."""
    images = [framed(framed(picture.astype(np.float32), side=11)) for picture in domain.images[:, 0].numpy()]
    return replace(domain, images=torch.from_numpy(np.stack(images).round().astype(np.uint8))[:, None])


@torch.no_grad()
def features(learner: NoAdaptation, domain: Domain) -> torch.Tensor:
    """What the classifier's last layer reads, (M, 32)."""
    return learner.net.features(domain.images.float() / 255)


def of_pictures(s: ShiftSeed, domains: Sequence[Domain], seed: int, size: int) -> dict:
    """The fields of a row of pictures, each domain against home."""
    at_home = features(s.learner, s.home)
    inner = [proxy_a_distance(at_home, features(s.learner, domain), seed, size=size) for domain in domains]
    return {"pad_features": [round(each.value, 4) for each in inner], **measured(
        [accuracy(s.learner.net, domain) for domain in domains],
        [proxy_a_distance(s.home, domain, seed, size=size) for domain in domains],
        [mmd(s.home, domain, seed, size=size, bandwidth=s.bandwidth) for domain in domains])}


def measured(accuracies: list[float], pads: list[PAD], mmds: list[MMD | None]) -> dict:
    """The fields of a row, one number for each severity."""
    r = lambda values: [None if value is None else round(value, 4) for value in values]
    return {"accuracy": r(accuracies), "pad": r(pad.value for pad in pads), "pad_low": r(pad.low for pad in pads),
            "pad_high": r(pad.high for pad in pads), "mmd": r(each and each.value for each in mmds),
            "mmd_floor": r(each and each.floor for each in mmds)}


def dial(kind: str, seed: int, budget: Budget) -> dict:
    """A kind of shift of pictures: other home pictures, shifted, against the home pictures."""
    s = of_seed(seed, budget)
    shifted = [shift_domain(s.away, kind, severity, seed) for severity in budget.severities]
    return {"severity": list(budget.severities), **of_pictures(s, shifted, seed, budget.sample)}


def factor(kind: str, seed: int, budget: Budget) -> dict:
    """A shift of one factor of P(x, y) in two dimensions; `best` is the accuracy of the best classifier there."""
    size, severities = budget.sample, budget.severities
    points = lambda kind, severity, which: factors.draw(kind, severity, size, 3 * seed + which)[0]
    line = factors.fit_line(*factors.draw(factors.LEFT, 0, budget.points, 3 * seed))
    home = points(factors.LEFT, 0.0, 1)
    away = [points(kind, severity, 2) for severity in severities]
    bandwidth = mmd(home, points(factors.LEFT, 0.0, 2), seed, permutations=1, size=size).bandwidth
    accuracies, best = zip(*(factors.line_accuracy(line, kind, severity) for severity in severities))
    return {"severity": list(severities), "best": [round(value, 4) for value in best], **measured(
        list(accuracies), [proxy_a_distance(home, x, seed, size=size) for x in away],
        [mmd(home, x, seed, size=size, bandwidth=bandwidth) for x in away])}


def other(kind: str, seed: int, budget: Budget) -> dict:
    """Another world against the typeset digits at home: other digits, or the pictures to shift in another form."""
    s = of_seed(seed, budget)
    if kind == AS_IT_COMES:
        world = deal(load("glyphs-digits@unframed"), SHARES, seed)[-1]
    elif kind in (COARSE, COARSE_MNIST):
        world = coarse(s.away if kind == COARSE else load("mnist"))
    else:
        world = load(OTHERS[kind])
    return {"severity": [1.0], **of_pictures(s, [world], seed, budget.sample)}


def floor(kind: str, seed: int, budget: Budget) -> dict:
    """A domain against itself, dealt into two: what PAD shows where there is no shift."""
    s = of_seed(seed, budget)
    name = kind.removesuffix(AGAIN)
    domain = load(OTHERS.get(name, "glyphs-digits"))
    inner = proxy_a_floor(features(s.learner, domain), seed, size=budget.sample)
    return {"severity": [0.0], "pad_features": [round(inner.value, 4)], **measured(
        [accuracy(s.learner.net, domain if name in OTHERS else s.away)],
        [proxy_a_floor(domain, seed, size=budget.sample)], [None])}


def measure(kind: str, seed: int, budget: Budget = Budget()) -> dict:
    """The row of one kind and seed. Raises ValueError for an unknown kind, DataError where its data are not here."""
    if kind not in KINDS:
        raise ValueError(f"unknown kind {kind!r}; choose one of {'; '.join(KINDS)}")
    start = time.perf_counter()
    how = dial if kind in SHIFTS else factor if kind in factors.KINDS else other if kind in WORLDS else floor
    row = how(kind, seed, budget)
    return {"kind": kind, **row, "seconds": round(time.perf_counter() - start, 1),
            **facts(f"mlcourse study shift --seed {seed}", seed)}


def plan(asked: SimpleNamespace, budget: Budget) -> list[Key]:
    """Every kind with every seed."""
    return [(kind, seed) for seed in asked.seeds for kind in KINDS]


def rows(asked: SimpleNamespace, budget: Budget, todo: Sequence[Key], kept: Sequence[dict]) -> Iterator[dict]:
    """The rows of `todo`; a world whose data are not here is passed over, by name."""
    for kind, seed in todo:
        try:
            yield measure(kind, seed, budget)
        except DataError as error:
            print(f"{kind}: passed over ({error})")


def line(row: dict) -> str:
    """One line of the table: the last severity."""
    pad = f"{row['pad'][-1]:5.2f} [{row['pad_low'][-1]:.2f}, {row['pad_high'][-1]:.2f}]"
    return (f"{row['kind']:30s} seed {row['seed']}   at severity {row['severity'][-1]:g}: accuracy "
            f"{100 * row['accuracy'][-1]:5.1f} %   PAD {pad}   {row['seconds']:5.1f} s")


def pictures(asked: SimpleNamespace, found: Sequence[dict]) -> Mapping[str, Picture]:
    """Accuracy and distance against severity."""
    return {"": dial_curves(found)}


STUDY = Study(
    "shift",
    """Lesson 01: accuracy of a fixed classifier, PAD and MMD against the severity of every shift, with their floors.

    Typeset digits under eight kinds of shift, out of the frame and at 8×8 pixels, UCI digits, MNIST where it is at
    hand, and two-dimensional worlds that differ in one factor of P(x, y). Two minutes for each seed.""",
    ("", "--seed 0"), KEY, Budget(), plan, rows, line, pictures=pictures)
