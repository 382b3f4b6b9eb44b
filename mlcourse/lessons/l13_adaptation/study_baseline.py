"""Whether "no adaptation" is as good as a plain classifier of the source that nobody thought of adapting.

The baseline of `mlcourse study transfer` (LeNet with layer norm and padding, 16×16, until the loss on held-back
source stops falling) beside the plain network of the literature on these digits: LeNet without norm or padding on
28×28, by the same rule. Nothing of a target is seen before the accuracies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace

import torch
from torch import nn

from mlcourse import datasets
from mlcourse.datasets import Form
from mlcourse.domains import Domain
from mlcourse.episode.across import halves, pixels
from mlcourse.evaluate import percent_right
from mlcourse.nets import LeNet
from mlcourse.rows import facts
from mlcourse.small import SIDE
from mlcourse.statistics import Estimate, cell, paired_difference
from mlcourse.studies.study import Key, Study
from mlcourse.studies.transfer.arms import in_blocks
from mlcourse.studies.transfer.source import trained

KEY = ("source", "target", "arm", "seed")
PAIRS = (("glyphs-digits", "digits"), ("mnist", "digits"), ("digits", "mnist"))
NAMES = {"glyphs-digits": "typeset digits", "mnist": "MNIST", "digits": "UCI digits"}
OURS, PLAIN = "no adaptation", "plain LeNet, 28×28"


@dataclass(frozen=True)
class Budget:
    """source: steps at most of a training. width: of our network, in filters. pictures: at most of each class."""

    source: int = 1500
    width: int = 20
    pictures: int | None = None


def plain(classes: int, seed: int) -> nn.Module:
    """LeNet without norm or padding on 28×28 pictures: 20 and 50 filters, 500 hidden units."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Conv2d(1, 20, 5), nn.MaxPool2d(2), nn.ReLU(), nn.Conv2d(20, 50, 5), nn.MaxPool2d(2),
                             nn.ReLU(), nn.Flatten(), nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, classes))


def classifiers(budget: Budget, seed: int) -> dict[str, tuple[int, Callable[[Domain], nn.Module]]]:
    """By arm: the side of its pictures, and what makes its network of a source."""
    ways = lambda domain: len(domain.classes)
    return {
        OURS: (SIDE, lambda d: trained(LeNet(ways(d), budget.width, "layer", SIDE, seed=seed), d, budget.source, seed)),
        PLAIN: (28, lambda d: trained(plain(ways(d), seed), d, budget.source, seed))}


def prepare(seeds: Sequence[int]) -> SimpleNamespace:
    """The seeds, and that the data are there."""
    datasets.load("mnist", None, Form(SIDE))
    return SimpleNamespace(seeds=seeds)


def plan(asked: SimpleNamespace, budget: Budget) -> list[Key]:
    """Every seed, pair and arm."""
    return [(*pair, arm, seed) for seed in asked.seeds for pair in PAIRS for arm in (OURS, PLAIN)]


def rows(asked: SimpleNamespace, budget: Budget, todo: Sequence[Key], kept: Sequence[dict]) -> Iterator[dict]:
    """The rows of `todo`; a network is trained once for all targets of its source."""
    for source, arm, seed in dict.fromkeys((source, arm, seed) for source, _, arm, seed in todo):
        side, make = classifiers(budget, seed)[arm]
        load = lambda name, side=side: datasets.load(name, None, Form(side)).first(budget.pictures)
        net = make(load(source))
        for target in (key[1] for key in todo if (key[0], key[2], key[3]) == (source, arm, seed)):
            _, test = halves(load(target), seed=seed)
            with torch.no_grad():
                right = percent_right(in_blocks(net, pixels(test.images)), test.labels)
            yield {"source": source, "target": target, "arm": arm, "accuracy": round(right, 4),
                   **facts(f"mlcourse study baseline --seed {seed}", seed)}


def named(pair: tuple[str, str]) -> str:
    """A pair in words."""
    return f"{NAMES[pair[0]]} → {NAMES[pair[1]]}"


def line(row: dict) -> str:
    """One line of the table."""
    return f"{named((row['source'], row['target'])):28s} {row['arm']:24s} seed {row['seed']}   {row['accuracy']:5.1f} %"


def of(found: Sequence[Mapping], pair: tuple[str, str], arm: str) -> dict[int, float]:
    """Accuracy by seed."""
    return {row["seed"]: row["accuracy"] for row in found if (row["source"], row["target"], row["arm"]) == (*pair, arm)}


def ahead(found: Sequence[Mapping], pair: tuple[str, str]) -> Estimate:
    """What the baseline has more than the plain network, paired over the seeds."""
    return paired_difference(of(found, pair, OURS), of(found, pair, PLAIN))


def table(found: Sequence[Mapping]) -> str:
    """Markdown: accuracies, and what the baseline has more."""
    lines = ["| | " + " | ".join(map(named, PAIRS)) + " |", "| --- |" + " --- |" * len(PAIRS)]
    for arm in (OURS, PLAIN):
        lines.append(f"| {arm} | {' | '.join(cell(of(found, pair, arm).values()) for pair in PAIRS)} |")
    apart = (ahead(found, pair).text(sign=True) for pair in PAIRS)
    return "\n".join([*lines, f"| {OURS} less {PLAIN} | {' | '.join(apart)} |"])


STUDY = Study(
    "baseline",
    """Lesson 13: whether "no adaptation" of the transfer study is as good as a plain classifier of the source, on three
    pairs of digits.

    About three minutes for each seed on one core; needs MNIST's test images.""",
    ("", "--seed 0"), KEY, Budget(), plan, rows, line, seeds=15, prepare=prepare,
    report=lambda asked, found: table(found))
