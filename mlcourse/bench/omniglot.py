"""Accuracy against training time on Omniglot: every meta-learner with the same minutes on the same two cores.

Each method trains as `mlcourse train METHOD --domain omniglot` does, with the settings of its record, which were chosen
on the validation alphabets; only the length is the clock's, which counts training alone. The rows are accuracies on the
test alphabets, unrotated, 5-way 1-shot, 1,000 fixed episodes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

from tqdm import tqdm

from mlcourse import datasets
from mlcourse.episode import EpisodeSampler, Splits
from mlcourse.evaluate import evaluate
from mlcourse.learners import Method, build, method
from mlcourse.rows import facts
from mlcourse.runs import Job, samplers
from mlcourse.train import outer_step, step_generator

KEY = ("method", "norm", "of_minutes", "seed", "minutes")
MARKS = (0.5, 1, 2, 5, 10, 20)
NAMES = ("maml", "fomaml", "anil", "meta-sgd", "reptile", "protonet")
EPISODES = 1000


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
        if name not in NAMES:
            raise ValueError(f"unknown method {name!r}; known are {', '.join(NAMES)}")
    splits = datasets.load_splits("omniglot")
    for name in names:
        for seed in seeds:
            yield from measure(name, splits, minutes, seed)


def measure(name: str, splits: Splits, minutes: float, seed: int) -> Iterator[dict]:
    """Train one method for so many minutes and yield its row at each of MARKS up to there, and at the end."""
    command = f"mlcourse bench omniglot --method {name} --minutes {minutes:g} --seed {seed}"
    entry, job = method(name), Job(name, "omniglot", seed=seed)
    source, test, _ = samplers(job, entry, splits)
    for learner, at, outer_steps in trained(entry, source, job.way, minutes, seed):
        result = evaluate(learner, test, EPISODES, steps=entry.test_steps)
        yield {"method": name, "norm": result.norm, "transductive": result.transductive, "train_way": source.way,
               "way": test.way, "shot": test.shot, "query": test.query, "steps": result.steps,
               "split": "test", "minutes": at, "of_minutes": minutes, "outer_steps": outer_steps,
               "accuracy": round(100 * result.mean, 2), "ci95": round(100 * result.ci95, 2), "episodes": EPISODES,
               **facts(command, seed)}


def trained(entry: Method, source: EpisodeSampler, way: int, minutes: float, seed: int) -> Iterator[tuple]:
    """Train by the clock and yield (learner, minutes, outer steps) at each of MARKS up to `minutes`, and there.

    The outer rate is annealed as in the method's own phase, over the minutes instead of the steps.
    """
    learner = build(entry, way=way, seed=seed)
    clock = Clock(minutes)
    phase = learner.phases(source, **entry.training | {"steps": 10**9})[0]
    anneal = phase.rate
    phase = replace(phase, rate=lambda _: anneal(clock.share()))
    step = 0
    with tqdm(total=round(60 * minutes), unit="s", desc=f"{entry.name}, seed {seed}") as bar:
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
