"""Whether "no adaptation" is as good as a plain classifier of the source that nobody thought of adapting.

The baseline of `mlcourse study transfer` (LeNet with layer norm and padding, 16×16, trained until the loss on held-back
source stops falling) beside the plain network of the literature on these digits: LeNet without norm or padding on
28×28, by the same rule, and for 3,000 steps down to a rate of 0. Nothing of a target is seen before the accuracies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace

import torch
import torch.nn.functional as F
from torch import nn

from mlcourse import datasets
from mlcourse.datasets import Form
from mlcourse.domains import Domain
from mlcourse.episode.across import halves, pixels
from mlcourse.evaluate import percent_right
from mlcourse.nets import LeNet
from mlcourse.phases import cosine_decay
from mlcourse.rows import facts
from mlcourse.small import SIDE
from mlcourse.statistics import Estimate, cell, paired_difference
from mlcourse.studies.study import Key, Study
from mlcourse.studies.transfer.arms import in_blocks
from mlcourse.studies.transfer.source import BATCH, RATE, parted, trained
from mlcourse.train import step_generator

KEY = ("source", "target", "arm", "seed")
PAIRS = (("glyphs-digits", "digits"), ("mnist", "digits"), ("digits", "mnist"))
NAMES = {"glyphs-digits": "typeset digits", "mnist": "MNIST", "digits": "UCI digits"}
OURS, PLAIN, LONG = "no adaptation", "plain, by the same rule", "plain, 3,000 steps"


@dataclass(frozen=True)
class Budget:
    """source: steps at most of what is trained by the rule; long: of what is trained to its end. width: of our network,
    in filters. pictures: at most of each class."""

    source: int = 1500
    long: int = 3000
    width: int = 20
    pictures: int | None = None


def plain(classes: int, seed: int) -> nn.Module:
    """LeNet without norm or padding on 28×28 pictures: 20 and 50 filters, 500 hidden units."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Conv2d(1, 20, 5), nn.MaxPool2d(2), nn.ReLU(), nn.Conv2d(20, 50, 5), nn.MaxPool2d(2),
                             nn.ReLU(), nn.Flatten(), nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, classes))


def to_the_end(net: nn.Module, domain: Domain, steps: int, seed: int) -> nn.Module:
    """The network after so many steps of Adam, annealed to a rate of 0, on the nine tenths that `trained` sees."""
    _, seen = parted(domain, seed)
    optimiser = torch.optim.Adam(net.parameters(), RATE)
    for step in range(steps):
        rows = torch.randint(len(seen.images), (BATCH,), generator=step_generator(seed, 0, step))
        for group in optimiser.param_groups:
            group["lr"] = RATE * cosine_decay(step / steps)
        optimiser.zero_grad()
        F.cross_entropy(net(pixels(seen.images[rows])), seen.labels[rows]).backward()
        optimiser.step()
    return net


def classifiers(budget: Budget, seed: int) -> dict[str, tuple[int, Callable[[Domain], nn.Module]]]:
    """By arm: the side of its pictures, and what makes its network of a source."""
    ways = lambda domain: len(domain.classes)
    return {
        OURS: (SIDE, lambda d: trained(LeNet(ways(d), budget.width, "layer", SIDE, seed=seed), d, budget.source, seed)),
        PLAIN: (28, lambda d: trained(plain(ways(d), seed), d, budget.source, seed)),
        LONG: (28, lambda d: to_the_end(plain(ways(d), seed), d, budget.long, seed))}


def prepare(seeds: Sequence[int]) -> SimpleNamespace:
    """The seeds, and that the data are there."""
    datasets.load("mnist", None, Form(SIDE))
    return SimpleNamespace(seeds=seeds)


def plan(asked: SimpleNamespace, budget: Budget) -> list[Key]:
    """Every seed, pair and arm."""
    return [(*pair, arm, seed) for seed in asked.seeds for pair in PAIRS for arm in (OURS, PLAIN, LONG)]


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


def ahead(found: Sequence[Mapping], pair: tuple[str, str], arm: str) -> Estimate:
    """What the baseline has more than an arm, paired over the seeds."""
    return paired_difference(of(found, pair, OURS), of(found, pair, arm))


def table(found: Sequence[Mapping]) -> str:
    """Markdown: accuracies, and what the baseline has more."""
    lines = ["| | " + " | ".join(map(named, PAIRS)) + " |", "| --- |" + " --- |" * len(PAIRS)]
    for arm in (OURS, PLAIN, LONG):
        lines.append(f"| {arm} | {' | '.join(cell(of(found, pair, arm).values()) for pair in PAIRS)} |")
    for arm in (PLAIN, LONG):
        lines.append(f"| {OURS} less {arm} | {' | '.join(ahead(found, p, arm).text(sign=True) for p in PAIRS)} |")
    return "\n".join(lines)


STUDY = Study(
    "baseline",
    """Lesson 13: whether "no adaptation" of the transfer study is as good as a plain classifier of the source, on three
    pairs of digits.

    About two minutes for each seed on one core; needs MNIST's test images.""",
    ("", "--seed 0"), KEY, Budget(), plan, rows, line, prepare=prepare, report=lambda asked, found: table(found))
