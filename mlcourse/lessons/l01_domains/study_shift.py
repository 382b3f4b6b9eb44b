"""The shift dial over seeds: accuracy of a fixed classifier, PAD and MMD against the severity of every kind of shift.

Each seed deals the typeset digits anew into pictures to train on, home pictures and pictures to shift, and trains a
classifier of its own. Nothing is chosen on any shifted picture.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from torch import Tensor

from mlcourse.datasets import DataError, factors, load
from mlcourse.domains import SHIFTS, Domain, deal, shift_domain
from mlcourse.domains.distances import MMD, PAD, mmd, proxy_a_distance, proxy_a_floor
from mlcourse.episode import EpisodeSampler
from mlcourse.learners import NoAdaptation
from mlcourse.nets import Conv4
from mlcourse.rows import facts
from mlcourse.supervised import accuracy
from mlcourse.train import train

KEY = ("kind", "seed")
SEEDS = 5
SEVERITIES = tuple(i / 10 for i in range(11))
SHARES = (0.5, 0.25, 0.25)      # of the typeset digits: to train on, home, to be shifted
STEPS, QUERIES, RATE = 300, 5, 2e-3
SAMPLE = 500                    # pictures or points of each domain that a distance compares
TRAINED_ON = 2000               # home points that the line is fitted to
OTHERS = {"UCI digits": "digits", "MNIST": "mnist"}
AGAIN = ", again"               # a domain against itself: its floor
KINDS = (*SHIFTS, *factors.KINDS, *OTHERS, "typeset digits" + AGAIN, "UCI digits" + AGAIN)


class ShiftSeed(NamedTuple):
    """One seed's typeset digits, the classifier trained on the first part, and the kernel width of all its MMDs."""

    home: Domain
    away: Domain
    learner: NoAdaptation
    bandwidth: float


@lru_cache(maxsize=1)
def of_seed(seed: int) -> ShiftSeed:
    """The digits dealt, and the classifier trained, by this seed. The kernel width is the median distance at home."""
    training, home, away = deal(load("glyphs-digits"), SHARES, seed)
    learner = NoAdaptation(Conv4(10, width=32, norm="none", seed=seed))
    sampler = EpisodeSampler(training, 10, 1, QUERIES, relabel=False)
    train(learner, learner.phases(sampler, steps=STEPS, tasks=1, lr=RATE), seed=seed, progress=False)
    return ShiftSeed(home, away, learner, mmd(home, away, seed, permutations=1, size=SAMPLE).bandwidth)


def measured(accuracies: list[float], pads: list[PAD], mmds: list[MMD | None]) -> dict:
    """The fields of a row, one number for each severity."""
    r = lambda values: [None if value is None else round(value, 4) for value in values]
    return {"accuracy": r(accuracies), "pad": r(pad.value for pad in pads), "pad_low": r(pad.low for pad in pads),
            "pad_high": r(pad.high for pad in pads), "mmd": r(each and each.value for each in mmds),
            "mmd_floor": r(each and each.floor for each in mmds)}


def dial(kind: str, seed: int) -> dict:
    """A kind of shift of pictures: other home pictures, shifted, against the home pictures."""
    home, away, learner, bandwidth = of_seed(seed)
    shifted = [shift_domain(away, kind, severity, seed) for severity in SEVERITIES]
    return {"severity": list(SEVERITIES), **measured(
        [accuracy(learner.net, domain) for domain in shifted],
        [proxy_a_distance(home, domain, seed, size=SAMPLE) for domain in shifted],
        [mmd(home, domain, seed, size=SAMPLE, bandwidth=bandwidth) for domain in shifted])}


def points(seed: int, world_kind: str = factors.LEFT, severity: float = 0.0, samples: int = SAMPLE) -> Tensor:
    """Points (samples, 2) of a two-dimensional world, without their labels."""
    return factors.draw(world_kind, severity, samples, seed)[0]


def factor(kind: str, seed: int) -> dict:
    """A shift of one factor of P(x, y) in two dimensions; `best` is the accuracy of the best classifier there."""
    line = factors.fit_line(*factors.draw(factors.LEFT, 0, TRAINED_ON, 3 * seed))
    home = points(3 * seed + 1)
    away = [points(3 * seed + 2, kind, severity) for severity in SEVERITIES]
    bandwidth = mmd(home, points(3 * seed + 2), seed, permutations=1, size=SAMPLE).bandwidth
    accuracies, best = zip(*(factors.line_accuracy(line, kind, severity) for severity in SEVERITIES))
    return {"severity": list(SEVERITIES), "best": [round(value, 4) for value in best], **measured(
        list(accuracies), [proxy_a_distance(home, x, seed, size=SAMPLE) for x in away],
        [mmd(home, x, seed, size=SAMPLE, bandwidth=bandwidth) for x in away])}


def other(kind: str, seed: int) -> dict:
    """Another world against the typeset digits at home."""
    home, _, learner, bandwidth = of_seed(seed)
    target = load(OTHERS[kind])
    return {"severity": [1.0], **measured(
        [accuracy(learner.net, target)], [proxy_a_distance(home, target, seed, size=SAMPLE)],
        [mmd(home, target, seed, size=SAMPLE, bandwidth=bandwidth)])}


def floor(kind: str, seed: int) -> dict:
    """A domain against itself, dealt into two: what PAD shows where there is no shift."""
    learner = of_seed(seed).learner
    name = kind.removesuffix(AGAIN)
    domain = load(OTHERS.get(name, "glyphs-digits"))
    return {"severity": [0.0], **measured(
        [accuracy(learner.net, domain if name in OTHERS else of_seed(seed).away)],
        [proxy_a_floor(domain, seed, size=SAMPLE)], [None])}


def measure(kind: str, seed: int) -> dict:
    """The row of one kind and seed. Raises ValueError for an unknown kind, DataError where its data are not here."""
    if kind not in KINDS:
        raise ValueError(f"unknown kind {kind!r}; choose one of {'; '.join(KINDS)}")
    start = time.perf_counter()
    how = dial if kind in SHIFTS else factor if kind in factors.KINDS else other if kind in OTHERS else floor
    row = how(kind, seed)
    return {"kind": kind, **row, "seconds": round(time.perf_counter() - start, 1),
            **facts(f"mlcourse study shift --seed {seed}", seed)}


def rows(seeds: list[int], done: set[tuple] = frozenset()) -> Iterator[dict]:
    """A row for every kind and seed that is not done; a world whose data are not here is passed over, by name."""
    for seed in seeds:
        for kind in KINDS:
            if (kind, seed) in done:
                continue
            try:
                yield measure(kind, seed)
            except DataError as error:
                print(f"{kind}: passed over ({error})")


def line(row: dict) -> str:
    """One line of the table: the last severity."""
    pad = f"{row['pad'][-1]:5.2f} [{row['pad_low'][-1]:.2f}, {row['pad_high'][-1]:.2f}]"
    return (f"{row['kind']:30s} seed {row['seed']}   at severity {row['severity'][-1]:g}: accuracy "
            f"{100 * row['accuracy'][-1]:5.1f} %   PAD {pad}   {row['seconds']:5.1f} s")
