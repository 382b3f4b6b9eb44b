"""The times of several computations, measured so that whatever disturbs the machine disturbs all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable

WARM_UP = 2


def in_turn(sides: dict[Hashable, Callable[[], object]], rounds: int, fill: float = 0.0) -> dict[Hashable, list[float]]:
    """The milliseconds of a call, `rounds` for each side: the sides take turns, after two turns that do not count.

    fill: milliseconds. A side of shorter calls is called again and again in its turn until they have passed, and the
    turn's time is the mean of its calls, so that what the side before left in the caches does not decide.
    """
    times = {name: [] for name in sides}
    for _ in range(WARM_UP + rounds):
        for name, side in sides.items():
            calls, start = 0, time.perf_counter()
            while True:
                side()
                calls, passed = calls + 1, 1000 * (time.perf_counter() - start)
                if passed >= fill:
                    break
            times[name].append(passed / calls)
    return {name: measured[WARM_UP:] for name, measured in times.items()}
