"""What each ingredient of the training for Omniglot's one-shot runs brings: all of them, and all but one at a time.

`mlcourse train protonet --domain omniglot-runs` trains ProtoNet with 20-way episodes within one alphabet, turned as a
whole, five drawings of a class each of which is the support sample in turn, every drawing in a small affine view, and
a rate that a cosine anneals. Here each arm takes one of these away, for fewer steps. The runs to test on are built from
the test alphabets as the 20 of the command are, but more of them; all arms answer the same ones, so that differences
over runs are paired. They say nothing about other seeds.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from types import SimpleNamespace

import numpy as np

from mlcourse.datasets import load_splits, one_shot_runs
from mlcourse.datasets.one_shot_runs import WAY, OneShotRuns
from mlcourse.datasets.omniglot import BACKGROUND, SPLITS
from mlcourse.datasets.store import find
from mlcourse.domains import Domain
from mlcourse.episode import EpisodeSampler
from mlcourse.episode.within import WithinGroups, turned_whole
from mlcourse.evaluate import scores
from mlcourse.job import RUN_QUERY, RUN_VIEWS
from mlcourse.learners import ProtoNet
from mlcourse.nets import Conv4
from mlcourse.phases import constant
from mlcourse.rows import facts
from mlcourse.statistics import paired_difference, t_interval
from mlcourse.studies.study import Key, Study
from mlcourse.system.machine import one_core
from mlcourse.train import train

KEY = ("arm", "seed")
ALL = "all of them"
FIXED, ANY, EACH, UPRIGHT, DRAWN, ONE, FLAT = (
    "one support set", "characters of any alphabets", "each character turned by itself", "no turned characters",
    "drawings as they are", "two drawings of a class", "a constant rate")
ARMS = (ALL, FIXED, ANY, EACH, UPRIGHT, DRAWN, ONE, FLAT)
RATE = 4e-3


@dataclass(frozen=True)
class Budget:
    """steps: of training. runs: that every error is the mean of. width: of the network."""

    steps: int = 600
    runs: int = 200
    width: int = 64


def training() -> Domain:
    """The training alphabets."""
    return load_splits("omniglot").train


@cache
def tests(runs: int) -> OneShotRuns:
    """One-shot runs of the test alphabets."""
    domain = load_splits("omniglot").test
    return one_shot_runs.build(domain, find(BACKGROUND), SPLITS["test"], runs, about=f"{runs} runs of test alphabets")


def source(arm: str, whole: Domain) -> EpisodeSampler:
    """The training episodes of an arm, from the training alphabets."""
    turned = {EACH: Domain.with_rotations, UPRIGHT: lambda domain: domain}.get(arm, turned_whole)(whole)
    if arm == ANY:
        turned = replace(turned, groups=("any",) * len(turned.classes))
    return WithinGroups(turned, WAY, 1, 1 if arm == ONE else RUN_QUERY, strength=0.0 if arm == DRAWN else RUN_VIEWS)


def trained(arm: str, seed: int, budget: Budget) -> tuple[ProtoNet, float]:
    """The trained arm, and the seconds of one core."""
    with one_core():
        learner = ProtoNet(Conv4(0, budget.width, "max", "batch", seed=seed))
        phases = learner.phases(source(arm, training()), budget.steps, tasks=1, lr=RATE, in_turn=arm != FIXED)
        if arm == FLAT:
            phases = [replace(phase, rate=constant) for phase in phases]
        start = time.thread_time()
        train(learner, phases, seed=seed, progress=False)
        return learner.eval(), round(time.thread_time() - start, 1)


def prepare(seeds: Sequence[int]) -> SimpleNamespace:
    """Nothing but the seeds."""
    return SimpleNamespace(seeds=seeds)


def plan(asked: SimpleNamespace, budget: Budget) -> list[Key]:
    """Every arm with every seed."""
    return [(arm, seed) for seed in asked.seeds for arm in ARMS]


def rows(asked: SimpleNamespace, budget: Budget, todo: Sequence[Key], kept: Sequence[dict]) -> Iterator[dict]:
    """A row for each of `todo`: the share of wrong answers, in per cent."""
    for arm, seed in todo:
        learner, seconds = trained(arm, seed, budget)
        wrong = WAY * (1 - scores(learner, tests(budget.runs), budget.runs, seed=0))
        yield {"arm": arm, "error": round(100 / WAY * float(wrong.mean()), 3), "wrong": wrong.round().int().tolist(),
               "steps": budget.steps, "core_seconds": seconds, **facts(f"mlcourse study one-shot --seed {seed}", seed)}


def line(row: dict) -> str:
    """The row as a line of a table."""
    return f"{row['arm']:28s} seed {row['seed']}  error {row['error']:5.2f} %   {row['core_seconds']:6.1f} s"


def errors(found: Sequence[Mapping], arm: str) -> np.ndarray:
    """The error of an arm in each run, in per cent, the mean over its seeds."""
    return 100 / WAY * np.mean([row["wrong"] for row in found if row["arm"] == arm], 0)


def table(found: Sequence[Mapping]) -> str:
    """Markdown: the error of every arm, and what it is above that of all ingredients, paired over runs."""
    above = lambda arm: ("" if arm == ALL else
                         paired_difference(errors(found, arm), errors(found, ALL), "runs").text(1, sign=True))
    lines = [f"| {arm} | {t_interval(errors(found, arm), 'runs').text(1)} | {above(arm)} |" for arm in ARMS]
    return "\n".join(["| training | error, % | above all of them |", "| --- | --- | --- |", *lines])


STUDY = Study(
    "one-shot",
    """Omniglot's one-shot task: ProtoNet trained with all ingredients of `mlcourse train protonet --domain
    omniglot-runs`, and with all but one.

    About fifteen minutes of one core for each seed; needs Omniglot's background set.""",
    ("--seed 0", "--seed 1"), KEY, Budget(), plan, rows, line, prepare=prepare, seeds=1)
