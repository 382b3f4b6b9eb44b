"""The times of several computations, measured so that whatever disturbs the machine disturbs all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable

WARM_UP = 2


def in_turn(sides: dict[Hashable, Callable[[], object]], rounds: int) -> dict[Hashable, list[float]]:
    """The milliseconds of every call, `rounds` for each side: the sides take turns, after two turns that do not
    count."""
    times = {name: [] for name in sides}
    for _ in range(WARM_UP + rounds):
        for name, side in sides.items():
            start = time.perf_counter()
            side()
            times[name].append(1000 * (time.perf_counter() - start))
    return {name: measured[WARM_UP:] for name, measured in times.items()}
