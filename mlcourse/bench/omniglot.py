"""Accuracy against training time on Omniglot: every meta-learner with the same minutes on the same two cores.

Training classes are those of the training alphabets, each in four rotations. Everything in PLANS was chosen on the
validation alphabets; the rows are accuracies on the test alphabets, unrotated, 5-way 1-shot, 1,000 fixed episodes. The
clock counts training only.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from tqdm import tqdm

from mlcourse import datasets
from mlcourse.episode import EpisodeSampler, Splits
from mlcourse.evaluate import evaluate
from mlcourse.learners import build, method
from mlcourse.rows import facts
from mlcourse.train import outer_step, step_generator

KEY = ("method", "norm", "of_minutes", "seed", "minutes")
MARKS = (0.5, 1, 2, 5, 10, 20)
WAY, SHOT, QUERY = 5, 1, 15
EPISODES = 1000


@dataclass(frozen=True)
class Plan:
    """How a method is trained: the way, query and number of tasks of a meta-batch, the outer rate β, the inner steps at
    test (0: it has none), and settings of the learner beside those of `METHODS`."""

    train_way: int
    train_query: int
    tasks: int
    lr: float
    test_steps: int
    settings: dict = field(default_factory=dict)


PLANS = {
    "maml": Plan(5, 2, 8, 6e-3, 5, {"lr": 2.0}),
    "fomaml": Plan(5, 2, 8, 4e-3, 5, {"lr": 1.0}),
    "anil": Plan(5, 2, 8, 4e-3, 5, {"lr": 1.0}),
    "meta-sgd": Plan(5, 2, 8, 4e-3, 1, {"low": 0.5, "high": 1.0}),
    "reptile": Plan(5, 2, 5, 1.0, 20, {"lr": 0.5, "steps": 5}),
    "protonet": Plan(60, 5, 1, 4e-3, 0),
}


class Clock:
    """The seconds spent between `start` and `stop`, as a share of a budget in minutes."""

    def __init__(self, minutes: float):
        self.budget, self.spent, self.since = 60 * minutes, 0.0, 0.0

    def start(self) -> None:
        self.since = time.perf_counter()

    def stop(self) -> None:
        self.spent += time.perf_counter() - self.since

    def share(self) -> float:
        """The part of the budget that is spent, in [0, 1)."""
        return min(self.spent / self.budget, 1 - 1e-9)


def rows(names: list[str], minutes: float, seeds: list[int]) -> Iterator[dict]:
    """The rows of each of these methods with each of these seeds. Raises ValueError, before anything is read or
    trained, for an unknown method."""
    for name in names:
        if name not in PLANS:
            raise ValueError(f"unknown method {name!r}; known are {', '.join(PLANS)}")
    splits = datasets.load_splits("omniglot")
    for name in names:
        for seed in seeds:
            yield from measure(name, splits, minutes, seed)


def measure(name: str, splits: Splits, minutes: float, seed: int) -> Iterator[dict]:
    """Train one method for so many minutes and yield its row at each of MARKS up to there, and at the end."""
    command = f"mlcourse bench omniglot --method {name} --minutes {minutes:g} --seed {seed}"
    test = EpisodeSampler(splits.test, WAY, SHOT, QUERY)
    for learner, at, outer_steps in trained(name, PLANS[name], splits, minutes, seed):
        result = evaluate(learner, test, EPISODES, steps=PLANS[name].test_steps)
        yield {"method": name, "norm": result.norm, "transductive": result.transductive,
               "train_way": PLANS[name].train_way, "way": WAY, "shot": SHOT, "query": QUERY, "steps": result.steps,
               "split": "test", "minutes": at, "of_minutes": minutes, "outer_steps": outer_steps,
               "accuracy": round(100 * result.mean, 2), "ci95": round(100 * result.ci95, 2), "episodes": EPISODES,
               **facts(command, seed)}


def trained(name: str, plan: Plan, splits: Splits, minutes: float, seed: int) -> Iterator[tuple]:
    """Train by the clock and yield (learner, minutes, outer steps) at each of MARKS up to `minutes`, and there.

    The outer rate is annealed as in the method's own phase, over the minutes instead of the steps.
    """
    learner = build(method(name), way=WAY, seed=seed, **plan.settings)
    source = EpisodeSampler(splits.train.with_rotations(), plan.train_way, SHOT, plan.train_query)
    clock = Clock(minutes)
    phase = learner.phases(source, 10**9, tasks=plan.tasks, lr=plan.lr)[0]
    anneal = phase.rate
    phase = replace(phase, rate=lambda _: anneal(clock.share()))
    step = 0
    with tqdm(total=round(60 * minutes), unit="s", desc=f"{name}, seed {seed}") as bar:
        for mark in [m for m in MARKS if m < minutes] + [minutes]:
            while clock.spent < 60 * mark:
                clock.start()
                outer_step(phase, step, step_generator(seed, 0, step))
                clock.stop()
                step += 1
                bar.update(int(clock.spent) - bar.n)
            yield learner, mark, step
            learner.train()


def line(row: dict) -> str:
    """The row as a line of a table."""
    return (f"{row['method']:9s} seed {row['seed']}  {row['minutes']:5.2f} of {row['of_minutes']:g} min  "
            f"{row['outer_steps']:6d} steps  {row['accuracy']:6.2f} ± {row['ci95']:.2f} %")
