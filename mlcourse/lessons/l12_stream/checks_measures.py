"""Checks of lesson 12 on what is measured: samples needed, accuracy as samples arrive, and forgetting."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from mlcourse.exercises.framework import LearnerFunction, NotYet, explain
from mlcourse.exercises.values import described, number, numbers, tensor
from mlcourse.online import Predictor, Strategy, Task

# ---------------------------------------------------------------- 12.1

SIZES, THRESHOLD = (10, 20, 40, 80), 0.85
CURVES = (          # a row for each task, its accuracy with the first 10, 20, 40 and 80 samples
    ((0.5, 0.85, 0.9, 0.9), (0.3, 0.5, 0.7, 0.9), (0.9, 0.8, 0.8, 0.8), (0.2, 0.3, 0.4, 0.84)),
    ((0.9, 0.9, 0.9, 0.9), (0.4, 0.5, 0.6, 0.7), (0.4, 0.6, 0.7, 0.8), (0.3, 0.4, 0.7, 0.86), (0.1, 0.2, 0.3, 0.4)),
    ((0.2, 0.85, 0.9, 0.9), (0.4, 0.9, 0.9, 0.9), (0.4, 0.6, 0.7, 0.8)),
)

NEEDED_FAULTS = (
    ("never reached counts as the last number", {"censored": "cap"}, "a task that has not passed with its last samples "
     "needs more than those, nobody knows how many; where fewer than half pass, the median is None"),
    ("never reached is left out", {"censored": "dropped"}, "half of all tasks, not half of those that passed; to drop "
                                                           "the hard ones flatters"),
    ("above the threshold only", {"strict": True}, "an accuracy equal to the threshold passes, too"),
    ("has to stay above", {"once": False}, "a task has passed with the first number at which it reached the "
                                           "threshold, whatever its accuracy does later"),
    ("more than half", {"most": True}, "at least half of the tasks must have passed"),
    ("which number, not how many samples", {"index": True}, "the median is a number of samples, one of sizes"),
)


class Found(NamedTuple):
    """What `needed` returns: the share that passed, and the median, None where there is none."""

    share: float
    median: float | None


def check_needed(answer: object) -> str:
    """12.1: three streams, in one of which fewer than half of the tasks pass."""
    needed = LearnerFunction(answer, "needed")
    got = [as_found(needed(torch.tensor(curves, dtype=torch.float64), list(SIZES), THRESHOLD)) for curves in CURVES]
    truth = lambda **faults: [samples(curves, **faults) for curves in CURVES]
    if not agree(got, truth()):
        explain(got, truth, NEEDED_FAULTS, agree)
        at = next(i for i, right in enumerate(truth()) if not agree([got[i]], [right]))
        right, said = samples(CURVES[at]), got[at]
        what = (f"{right.share:.0%} of the tasks pass" if abs(said.share - right.share) > 1e-4 else
                f"the median is {right.median}")
        raise NotYet(f"for tasks with the accuracies {[list(row) for row in CURVES[at]]} {what}; you returned "
                     f"({said.share:g}, {said.median}).")
    return "Shares and medians are right for three streams, one of them without a median."


def as_found(value: object) -> Found:
    """What was returned. Raises NotYet for anything but a number, and a number or None."""
    sentence = "needed must return a share and a median, two values"
    try:
        pair = list(value)
    except (TypeError, RuntimeError):
        pair = []
    if len(pair) != 2:
        raise NotYet(f"{sentence}, got {described(value)}.")
    share, median = pair
    median = None if median is None else number(median, "the median must be a number of samples, or None")
    return Found(number(share, "the share must be one number"),
                 None if median is None or math.isnan(median) else median)


def agree(one: Sequence[Found], other: Sequence[Found]) -> bool:
    """Whether two answers are the same."""
    return all(abs(a.share - b.share) < 1e-4 and a.median == b.median for a, b in zip(one, other, strict=True))


def samples(curves: Sequence[Sequence[float]], *, censored: str = "none", strict: bool = False, once: bool = True,
            most: bool = False, index: bool = False) -> Found:
    """The share and the median; the options are the known faults."""
    first = []
    for curve in curves:
        passed = [right > THRESHOLD if strict else right >= THRESHOLD for right in curve]
        at = [s for s in range(len(SIZES)) if (passed[s] if once else all(passed[s:]))]
        first.append(at[0] if at else None)
    share = sum(each is not None for each in first) / len(first)
    counted = [len(SIZES) - 1 if each is None and censored == "cap" else each for each in first]
    counted = [each for each in counted if each is not None] if censored == "dropped" else counted
    enough = (lambda s: 2 * s > len(counted)) if most else (lambda s: 2 * s >= len(counted))
    at = next((s for s in range(len(SIZES)) if enough(sum(f is not None and f <= s for f in counted))), None)
    return Found(share, None if at is None else at if index else SIZES[at])


# ---------------------------------------------------------------- 12.4

PARTS, HAS, TESTED = (3, 5, 9), 9, 40

ARRIVING_FAULTS = (
    ("asked before adapting", {"when": "before"}, "what counts is the answer after adapting to this task's samples so "
                                                  "far, strategy.after(x, y)"),
    ("tested on what it learned from", {"on": "own"}, "the task's own samples are known to it; test on task.test_x and "
                                                      "task.test_y"),
    ("tested on the new part", {"on": "part"}, "the task's own samples are known to it; test on task.test_x and "
                                               "task.test_y"),
    ("adapts to the new part alone", {"adapts": "part"}, "after n samples it adapts to all n, task.x[:n]"),
    ("adapts to test pictures", {"adapts": "test"}, "of what is tested on no label may be used"),
    ("old samples arrive again", {"sees": "all"}, "only the new part arrives, or the buffer holds the first samples "
                                                  "several times"),
    ("the task does not begin", {"begun": False}, "strategy.begin() comes first, or the samples join the task before"),
)


class Pretended(Strategy):
    """Learns nothing, but what it answers depends on all that it was told: on samples, whose first number says which
    they are, on tasks begun, and on whether it adapted."""

    def __init__(self):
        self.state = 3

    def begin(self) -> None:
        """Another state."""
        self.state = (5 * self.state + 11) % 997

    def see(self, x: Tensor, y: Tensor) -> None:
        """Another state, by every sample."""
        for each in x[:, 0].tolist():
            self.state = (7 * self.state + int(each) + 1) % 997

    def before(self) -> Predictor:
        """Right or wrong by the state."""
        return guesses(self.state)

    def after(self, x: Tensor, y: Tensor) -> Predictor:
        """Right or wrong by the state and the samples."""
        return guesses((self.state * 13 + sum(int(each) + 2 for each in x[:, 0].tolist()) + 101 * len(x)) % 997)


def guesses(key: int) -> Predictor:
    """Answers 0 or 1 for samples, by a sum that looks random."""
    def predict(x: Tensor) -> Tensor:
        said = (x[:, 0].long() ** 2 + 3 * key) * (key + 17) % 101 < 35 + key % 31
        return torch.stack([~said, said], 1).double()
    return predict


def made() -> Task:
    """A task of HAS samples that pretend to be numbers, and TESTED others to test on."""
    x = torch.arange(HAS)[:, None].double()
    test = torch.arange(100, 100 + TESTED)[:, None].double()
    return Task(x, torch.arange(HAS) % 2, test, (torch.arange(TESTED) // 2) % 2)


def check_arriving(answer: object) -> str:
    """12.4: what a strategy is told and tested on, by a stand-in whose answers show it."""
    arriving = LearnerFunction(answer, "arriving")
    got = tensor(numbers(arriving(Pretended(), made(), list(PARTS)), len(PARTS), "arriving must return an accuracy for "
                         "each of the sizes"), (len(PARTS),), "arriving must return an accuracy for each of the sizes")
    if not close(got, played()):
        explain(got, played, ARRIVING_FAULTS, close)
        raise NotYet("a stand-in was told or tested otherwise; for each n: see the new part, adapt to the first n, and "
                     "take the share right of task.test_x.")
    return "After each part it adapts to all samples so far and is tested on others."


def close(one: Tensor, other: Tensor) -> bool:
    """Whether two answers agree, float32 allowed."""
    return torch.allclose(one.double(), other.double(), atol=1e-4)


def played(*, when: str = "after", on: str = "test", adapts: str = "all", sees: str = "part",
           begun: bool = True) -> Tensor:
    """What the stand-in's accuracies are; the options are the known faults."""
    strategy, task, right = Pretended(), made(), []
    if begun:
        strategy.begin()
    for last, n in pairwise((0, *PARTS)):
        own, new = (task.x[:n], task.y[:n]), (task.x[last:n], task.y[last:n])
        test = task.test_x, task.test_y
        strategy.see(*(own if sees == "all" else new))
        learned = {"all": own, "part": new, "test": test}[adapts]
        answer = strategy.before() if when == "before" else strategy.after(*learned)
        x, y = {"test": test, "own": own, "part": new}[on]
        right.append(float((answer(x).argmax(1) == y).double().mean()))
    return torch.tensor(right, dtype=torch.float64)


# ---------------------------------------------------------------- 12.5

NAN = math.nan
ROUNDS = (
    ((0.8, NAN, NAN, NAN), (0.9, 0.7, NAN, NAN), (0.6, 0.5, 0.8, NAN), (0.65, 0.75, 0.4, 0.9)),
    ((0.5, NAN, NAN), (0.7, 0.9, NAN), (0.3, 0.85, 0.6)),
)

FORGOTTEN_FAULTS = (
    ("the sign", {"sign": -1}, "forgetting is the best so far less the accuracy now: positive where something is lost"),
    ("the first in place of the best", {"best": "first"}, "a task may be at its best rounds after its own; take the "
                                                          "best of all rounds before the last"),
    ("the last round counts as earlier", {"best": "all"}, "the best is that of the rounds before the last; else "
                                                          "nothing could ever be below 0, better than before"),
    ("the round before in place of the best", {"best": "previous"}, "take the best of all rounds before the last"),
)


def check_forgotten(answer: object) -> str:
    """12.5: two streams, in which one task is better at the end than it ever was."""
    forgotten = LearnerFunction(answer, "forgotten")
    got = []
    for rows in ROUNDS:
        shape = (len(rows) - 1,)
        got.append(tensor(forgotten(torch.tensor(rows, dtype=torch.float64)), shape,
                          f"for {len(rows)} tasks forgotten must return {shape[0]} finite numbers, one for every task "
                          "but the last; row j of a is round j, and column i is known from row i on"))
    got = torch.cat(got)
    if not close(got, lost()):
        explain(got, lost, FORGOTTEN_FAULTS, close)
        raise NotYet("for task i look down column i from row i to the last but one: the best of these, less the last.")
    return "Right for two streams, also where a task ends better than ever before."


def lost(*, sign: int = 1, best: str = "earlier") -> Tensor:
    """The forgetting of both streams, one after the other; the options are the known faults."""
    found = []
    for rows in ROUNDS:
        a = torch.tensor(rows, dtype=torch.float64)
        for i in range(len(a) - 1):
            column = a[i:, i]
            kept = {"earlier": column[:-1].max(), "first": column[0], "all": column.max(), "previous": column[-2]}[best]
            found.append(sign * (kept - column[-1]))
    return torch.stack(found)
