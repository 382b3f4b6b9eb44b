"""The network of "no adaptation", chosen again on pairs that no lesson reports.

It was first chosen with target accuracies of reported pairs in view. Here the networks that were trained more than
once then stand side by side on the pairs of `mlcourse study choosing`, by one rule of training.

Written down before anything was measured: the network in use stays unless another one has more, in the mean over both
pairs, by a paired interval that leaves out 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace

import torch
from torch import nn

from mlcourse.episode.across import pixels
from mlcourse.evaluate import percent_right
from mlcourse.lessons.l13_adaptation.study_baseline import plain
from mlcourse.lessons.l13_adaptation.study_choosing import PAIRS, domains
from mlcourse.nets import Conv4, LeNet
from mlcourse.rows import facts
from mlcourse.small import SIDE
from mlcourse.statistics import Estimate, cell, paired_difference
from mlcourse.studies.study import Key, Study
from mlcourse.studies.transfer.arms import in_blocks
from mlcourse.studies.transfer.setting import setting
from mlcourse.studies.transfer.source import trained

KEY = ("pair", "network", "seed")
IN_USE = "LeNet with layer norm, 16×16 (in use)"


@dataclass(frozen=True)
class Budget:
    """source: steps at most of a training. width: filters of LeNet's first convolution; Conv4 has 1.6 times as many.
    pictures: at most of each class of a domain."""

    source: int = 1500
    width: int = 20
    pictures: int | None = None


NETWORKS: dict[str, tuple[int, Callable[[int, int, int], nn.Module]]] = {   # side, (classes, width, seed) → network
    IN_USE: (SIDE, lambda way, width, seed: LeNet(way, width, "layer", SIDE, seed=seed)),
    "LeNet without norm, 16×16": (SIDE, lambda way, width, seed: LeNet(way, width, "none", SIDE, seed=seed)),
    "Conv4 without norm, 16×16": (SIDE, lambda way, width, seed: Conv4(way, 8 * width // 5, "max", "none", SIDE, seed)),
    "plain LeNet, 28×28": (28, lambda way, width, seed: plain(way, seed)),
}


def plan(asked: SimpleNamespace, budget: Budget) -> list[Key]:
    """Every seed, pair and network."""
    return [(pair, network, seed) for seed in asked.seeds for pair in PAIRS for network in NETWORKS]


def rows(asked: SimpleNamespace, budget: Budget, todo: Sequence[Key], kept: Sequence[dict]) -> Iterator[dict]:
    """The rows of `todo`: accuracy (%) on the target's test half."""
    for pair, network, seed in todo:
        side, make = NETWORKS[network]
        source, target = domains(pair, budget.pictures, side)
        own = setting([source], target, (0,)).of_seed(seed)
        net = trained(make(len(own.source.classes), budget.width, seed), own.source, budget.source, seed)
        with torch.no_grad():
            right = percent_right(in_blocks(net, pixels(own.test.images)), own.test.labels)
        yield {"pair": pair, "network": network, "accuracy": round(right, 4),
               **facts(f"mlcourse study network --seed {seed}", seed)}


def line(row: dict) -> str:
    """One line of the table."""
    return f"{row['pair']:26s} {row['network']:38s} seed {row['seed']}   {row['accuracy']:5.1f} %"


def of(found: Sequence[Mapping], network: str, pairs: Sequence[str] = PAIRS) -> dict[int, float]:
    """A network's accuracy, the mean over these pairs, by seed."""
    mine = [row for row in found if row["network"] == network and row["pair"] in pairs]
    seeds = sorted({row["seed"] for row in mine})
    return {seed: sum(row["accuracy"] for row in mine if row["seed"] == seed) / len(pairs) for seed in seeds}


def ahead(found: Sequence[Mapping], network: str) -> Estimate:
    """What a network has more than the one in use, in the mean over the pairs, paired over the seeds."""
    return paired_difference(of(found, network), of(found, IN_USE))


def table(found: Sequence[Mapping]) -> str:
    """Markdown: accuracies by pair, and what each network has more than the one in use."""
    lines = [f"| | {' | '.join(PAIRS)} | mean, less the one in use |", "| --- |" + " --- |" * (len(PAIRS) + 1)]
    for network in NETWORKS:
        cells = (cell(of(found, network, (pair,)).values()) for pair in PAIRS)
        more = "" if network == IN_USE else ahead(found, network).text(sign=True)
        lines.append(f"| {network} | {' | '.join(cells)} | {more} |")
    return "\n".join(lines)


STUDY = Study(
    "network",
    """Lesson 13: the network of "no adaptation", chosen again on two pairs of digits that no lesson reports.

    About two minutes for each seed on one core.""",
    ("", "--seed 0"), KEY, Budget(), plan, rows, line, report=lambda asked, found: table(found))
