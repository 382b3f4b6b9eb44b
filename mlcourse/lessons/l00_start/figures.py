"""The bars of lesson 00: accuracies over episodes, each with its interval."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from mlcourse.plots.static import Picture, bars_with_intervals
from mlcourse.statistics import interval


class Accuracy(NamedTuple):
    """What a bar shows of a classifier."""

    method: str
    mean: float
    ci95: float
    episodes: int
    metric: str = "accuracy"


def accuracy_bars(accuracies: dict[str, Tensor], title: str) -> Picture:
    """A bar for each entry: the mean of its accuracies (n,), each of a 5-way episode, with the 95 % interval."""
    found = [Accuracy(name, *interval(values), len(values)) for name, values in accuracies.items()]
    return bars_with_intervals(found, title, reference=0.2, reference_label="guessing")
