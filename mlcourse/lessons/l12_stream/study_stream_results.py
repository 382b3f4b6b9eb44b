"""What the rows of `mlcourse study stream` say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from mlcourse.lessons.l12_stream.study_stream_arms import CHOOSING, SIZES
from mlcourse.statistics import Estimate, paired_difference, t_interval

Rows = Sequence[dict]


class Ratio(NamedTuple):
    """How many times as many samples one arm needs as another: the geometric mean over seeds, and its 95 % interval."""

    mean: float
    low: float
    high: float

    def text(self) -> str:
        """As in "0.45 (0.30 to 0.66)"."""
        return f"{self.mean:.2f} ({self.low:.2f} to {self.high:.2f})"


def values(rows: Rows, stream: str, arm: str, field: str) -> dict[int, float | None]:
    """{seed: field} of an arm in a stream, such as "median", "passed", "forgotten_before" or "seconds"."""
    return {row["seed"]: row[field] for row in rows if (row["stream"], row["arm"]) == (stream, arm)
            and row["seed"] != CHOOSING}


def needed(rows: Rows, stream: str, arm: str) -> dict[int, int | None]:
    """{seed: median number of samples that the later half of the tasks needed}, None where fewer than half passed."""
    return values(rows, stream, arm, "median")


def mean(rows: Rows, stream: str, arm: str, field: str) -> Estimate:
    """The mean of a field over seeds. Raises ValueError where there is no row."""
    return t_interval(values(rows, stream, arm, field).values())


def ratio(rows: Rows, stream: str, one: str, other: str) -> Ratio | None:
    """The samples that `one` needs over those that `other` needs, paired over seeds in logarithms.

    Where `other` never passed, it counts with the last number that it was watched at, which is too small, so that the
    ratio is too large. None where `one` did not pass with some seed. Raises ValueError where they have other seeds.
    """
    ours, theirs = needed(rows, stream, one), needed(rows, stream, other)
    if None in ours.values():
        return None
    found = paired_difference({seed: math.log(n) for seed, n in ours.items()},
                              {seed: math.log(n or SIZES[-1]) for seed, n in theirs.items()})
    return Ratio(*(math.exp(each) for each in (found.mean, found.low, found.high)))


def right(rows: Rows, stream: str, arm: str, samples: int) -> dict[int, float]:
    """{seed: accuracy (%) with so many samples of a task}, the mean over the later half of the tasks."""
    place = SIZES.index(samples)
    return {seed: 100 * sum(task[place] for task in found) / len(found)
            for seed, found in values(rows, stream, arm, "arriving").items()}


def mean_accuracy(rows: Rows, stream: str, arm: str, samples: int) -> Estimate:
    """The mean over seeds of `right`."""
    return t_interval(right(rows, stream, arm, samples).values())


def apart(rows: Rows, stream: str, one: str, other: str, samples: int = 40) -> Estimate:
    """How many points the accuracy of `one` is above that of `other` with so many samples, paired over seeds."""
    return paired_difference(right(rows, stream, one, samples), right(rows, stream, other, samples))


def round_by_task(rows: Rows, stream: str, arm: str, when: str) -> list[list[float]]:
    """The mean over seeds of the accuracies `when`, "before" or "after" adapting: a list for each round, with one for
    each task so far."""
    found = list(values(rows, stream, arm, when).values())
    return [[sum(each) / len(each) for each in zip(*rounds, strict=True)] for rounds in zip(*found, strict=True)]


def area(row: dict) -> float:
    """What settings are chosen by: the mean accuracy (%) over the numbers of samples and the later tasks."""
    tasks = row["arriving"]
    return 100 * sum(map(sum, tasks)) / (len(tasks) * len(tasks[0]))
