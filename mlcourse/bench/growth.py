"""Time and memory of one MAML meta-step against the number of tasks, inner steps and ways, and the network's width.

One of the four changes at a time; the others stay at 8 tasks, 1 step, 5-way, 64 filters. Pictures are random: time does
not depend on them. The inner steps are also measured in first order (FOMAML).
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import NamedTuple

import torch

from mlcourse.bench.peers import ours
from mlcourse.bench.sampler import arrays
from mlcourse.episode import EpisodeSampler
from mlcourse.statistics import fitted_line
from mlcourse.learners import FOMAML, MAML
from mlcourse.nets import Conv4
from mlcourse.rows import facts
from mlcourse.system.memory import peak_memories
from mlcourse.system.timing import in_turn

KEY = ("axis", "order", "value")
AXES = {"tasks": (2, 4, 8, 16, 32), "steps": (1, 2, 3, 4, 5, 6, 7, 8), "ways": (2, 5, 10, 15, 20),
        "width": (16, 32, 64, 96, 128)}
SHOT, QUERY, RATE = 1, 5, 0.4
SEED = 0
ROUNDS = 7


@dataclass(frozen=True)
class Point:
    """A meta-step: the tasks of its batch, inner steps, ways, the network's filters, and order 2 (MAML) or 1
    (FOMAML)."""

    tasks: int = 8
    steps: int = 1
    ways: int = 5
    width: int = 64
    order: int = 2


class Summary(NamedTuple):
    """Second order against inner steps: milliseconds of a step and of the rest, R² of that line, and how many times as
    long as first order it takes, by steps."""

    slope: float
    intercept: float
    r2: float
    ratios: dict[int, float]


def points(axis: str) -> list[Point]:
    """The points of an axis, in both orders for the inner steps. Raises ValueError for an unknown axis."""
    if axis not in AXES:
        raise ValueError(f"unknown axis {axis!r}; known are {', '.join(AXES)}")
    orders = (2, 1) if axis == "steps" else (2,)
    return [replace(Point(order=order), **{axis: value}) for order in orders for value in AXES[axis]]


def step_of(point: Point) -> Callable[[], list[torch.Tensor]]:
    """A function that computes the meta-gradient at this point, as training does."""
    learner = (MAML if point.order == 2 else FOMAML)(Conv4(point.ways, point.width), RATE, point.steps)
    generator = torch.Generator().manual_seed(SEED + 1)
    batch = EpisodeSampler(arrays(40), point.ways, SHOT, QUERY).sample(point.tasks, generator)
    return lambda: ours(learner, batch)


def rows(axes: list[str], rounds: int = ROUNDS) -> Iterator[dict]:
    """The rows of these axes. Raises ValueError, before anything is measured, for an unknown one."""
    for axis in axes:
        points(axis)
    for axis in axes:
        yield from measure(axis, rounds)


def measure(axis: str, rounds: int = ROUNDS) -> Iterator[dict]:
    """The rows of one axis, whose points take turns. Raises what `peak_memories` raises."""
    times = in_turn({point: step_of(point) for point in points(axis)}, rounds)
    memory = peak_memories(step_of, [(point,) for point in times])
    for (point, measured), peak_mb in zip(times.items(), memory, strict=True):
        yield {"axis": axis, "value": getattr(point, axis), "order": point.order,
               "ms": round(statistics.median(measured), 2),
               "ms_range": [round(min(measured), 2), round(max(measured), 2)], "peak_mb": peak_mb,
               **asdict(point), "shot": SHOT, "query": QUERY, "rounds": rounds,
               **facts(f"mlcourse bench growth --axis {axis}", SEED)}


def summary(rows: list[dict]) -> Summary:
    """What the rows say of the inner steps. Raises ValueError for fewer than 3 rows of them in second order."""
    times = {order: {row["value"]: row["ms"] for row in rows if row["axis"] == "steps" and row["order"] == order}
             for order in (2, 1)}
    second, first = times[2], times[1]
    return Summary(*fitted_line(list(second), list(second.values())),
                   {steps: second[steps] / first[steps] for steps in sorted(second.keys() & first.keys())})


def conclusions(rows: list[dict]) -> list[str]:
    """Lines below the table: none before the inner steps are measured."""
    if not any(row["axis"] == "steps" for row in rows):
        return []
    slope, intercept, r2, ratios = summary(rows)
    return [f"second order: {intercept:.1f} ms + {slope:.1f} ms for each inner step, R² {r2:.4f}",
            f"second order takes {min(ratios.values()):.2f} to {max(ratios.values()):.2f} times as long as first"]


def line(row: dict) -> str:
    """The row as a line of a table."""
    return f"{row['axis']:5s} {row['value']:4d}   order {row['order']}   {row['ms']:8.2f} ms   {row['peak_mb']:7.1f} MB"
