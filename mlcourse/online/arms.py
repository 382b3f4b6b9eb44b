"""Streams and strategies by name, and what is kept of a strategy in a stream: for studies that compare them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import torch

from mlcourse.domains import Domain
from mlcourse.nets import MLP
from mlcourse.online.everything import TrainOnEverything
from mlcourse.online.fine_tune import FineTune
from mlcourse.online.forgetting import mean_forgetting
from mlcourse.online.ftml import FTML
from mlcourse.online.gdumb import GDumb
from mlcourse.online.gdumb_fine_tune import GDumbFineTune
from mlcourse.online.looks import GROUNDS, Look, drift, rainbow
from mlcourse.online.needed import median_needed, samples_needed, share_passed
from mlcourse.online.play import Played
from mlcourse.online.random_features import RandomFeatures, RandomFeaturesAlone
from mlcourse.online.scratch import FromScratch
from mlcourse.online.strategy import Strategy
from mlcourse.online.stream import Recipe, recipes

RAINBOW, UPRIGHT, HALF, ALL, TOLD, DRIFT = (
    "colour, scale and turn", "colour and scale", "half the labels moved", "all labels moved",
    "half moved, looks tell the task", "away and back")
STREAMS = (RAINBOW, UPRIGHT, HALF, ALL, TOLD, DRIFT)
MOVED = {HALF: 5, ALL: 10, TOLD: 5}

HIDDEN = (64, 64)
FAR = Look(GROUNDS["blue"], 0.5, 90.0)

NETWORKS: Mapping[str, type[Strategy]] = MappingProxyType({
    "FTML": FTML, "train on everything": TrainOnEverything, "fine-tune": FineTune, "from scratch": FromScratch,
    "GDumb": GDumb, "GDumb + fine-tune": GDumbFineTune})        # the strategies around a network
HEADS: Mapping[str, type[RandomFeatures]] = MappingProxyType({
    "random features": RandomFeatures, "random features alone": RandomFeaturesAlone})
STRATEGIES = (*NETWORKS, *HEADS)


def order(name: str, tasks: int, seed: int) -> list[Recipe]:
    """The recipes of a stream: looks in random order, but for a drift, whose path has `tasks` looks, and labels that
    are drawn anew.

    Raises ValueError for an unknown stream, more tasks than it has looks, or an even number for a drift.
    """
    if name not in STREAMS:
        raise ValueError(f"there is no stream {name!r}; the streams are {'; '.join(STREAMS)}")
    return recipes(_looks(name, tasks, seed), moved=MOVED.get(name, 0), seed=seed)


def _looks(name: str, tasks: int, seed: int) -> list[Look]:
    if name in (HALF, ALL):
        return [Look()] * tasks
    if name == DRIFT:
        if tasks % 2 == 0 or tasks < 3:
            raise ValueError(f"a drift away and back is an odd number of tasks, at least 3, got {tasks}")
        return drift(Look(GROUNDS["red"]), FAR, tasks // 2)
    looks = rainbow(turns=(0.0,)) if name == UPRIGHT else rainbow()
    if tasks > len(looks):
        raise ValueError(f"the stream {name!r} has {len(looks)} looks, which is fewer than {tasks} tasks")
    shuffled = torch.randperm(len(looks), generator=torch.Generator().manual_seed(seed))[:tasks]
    return [looks[i] for i in shuffled.tolist()]


def strategy(name: str, domain: Domain, total: int, seed: int, settings: Mapping = MappingProxyType({})) -> Strategy:
    """A strategy for streams of this domain's pictures, in three channels, with settings in place of its usual ones.

    total: samples in the whole stream, which GDumb's memory has room for. Raises ValueError for an unknown strategy.
    """
    if name not in STRATEGIES:
        raise ValueError(f"there is no strategy {name!r}; the strategies are {', '.join(STRATEGIES)}")
    inputs, way = 3 * domain.images.shape[-1] ** 2, len(domain.classes)
    if name in HEADS:
        return HEADS[name](inputs, way, seed=seed, **settings)
    room = {"capacity": total} if issubclass(NETWORKS[name], GDumb) else {}
    return NETWORKS[name](MLP((inputs, *HIDDEN, way), seed=seed), seed=seed, **room | dict(settings))


def found(played: Played, sizes: Sequence[int], threshold: float) -> dict:
    """What a row keeps, in numbers that JSON has: accuracies rounded to a thousandth.

    needed: samples of each of the later half of the tasks to the threshold, null where all of them did not do. passed,
    median: the share of these that passed, and their Kaplan-Meier median, null where too few did. arriving: accuracies
    of the same tasks. forgotten_before, forgotten_after: mean forgetting at the end, before and after adapting. before,
    after: a list for each round, with an accuracy for each task so far.
    """
    later = played.arriving[len(played.arriving) // 2:]
    needed = [samples_needed(task, sizes, threshold) for task in later]
    numbers = lambda rows: [[round(a, 3) for a in row if not math.isnan(a)] for row in rows.tolist()]
    return {"needed": [each.samples if each.passed else None for each in needed],
            "passed": round(share_passed(needed), 4), "median": median_needed(needed),
            "forgotten_before": round(mean_forgetting(played.before), 4),
            "forgotten_after": round(mean_forgetting(played.after), 4),
            "arriving": numbers(later), "before": numbers(played.before), "after": numbers(played.after),
            "seconds": round(played.seconds, 1)}
