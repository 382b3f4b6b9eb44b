"""What a lesson costs: seconds to run it, memory at its peak, bytes of its file."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import torch

from mlcourse.course import notebooks
from mlcourse.rows import facts
from mlcourse.system.machine import one_core
from mlcourse.system.memory import MB, resident_bytes

KEY = ("lesson",)
PACE = 0.73         # what `pace` gave on the two cores that the bars of a lesson are meant for
INTERVAL = 0.05     # seconds between two looks at the memory


class PeakMemory:
    """The most memory that the processes started inside the block held at one time: `peak_mb`, in 10⁶ bytes.

    The kernel and whatever it starts are looked at every 50 ms. Where the system keeps a process's own peak (Linux),
    that counts, so that nothing is missed between two looks; memory that processes share counts once for each.

        with PeakMemory() as memory:
            notebooks.execute(…)
    """

    def __enter__(self) -> PeakMemory:
        self.peak_mb = 0.0
        self._before = set(psutil.Process().children(recursive=True))
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        own = psutil.Process()
        while not self._end.wait(INTERVAL):
            started = set(own.children(recursive=True)) - self._before
            self.peak_mb = max(self.peak_mb, sum(map(resident_bytes, started)) / MB)


def pace() -> float:
    """Seconds that 200,000 small operations on one core take now, over a million of them: how fast the machine is,
    beside whatever else it does. A shared machine changes its speed from second to second.

    A lesson's seconds times PACE / pace are those of the machine that the bars are meant for.
    """
    with one_core():
        x, start = torch.ones(1000), time.perf_counter()
        for _ in range(1_000_000):
            x = x * 1.0
        return (time.perf_counter() - start) / 5


def measure(path: Path) -> dict:
    """The row of the lesson at `path`, run as `mlcourse run` does, in a kernel of its own, from whose start the seconds
    run to the end of the last cell.

    Nothing is written. Raises ValueError if the file is no lesson, RuntimeError when a cell fails.
    """
    about = notebooks.read_lesson(path)
    notebook = notebooks.read(path)
    before, ends = pace(), [time.perf_counter()]
    with PeakMemory() as memory:
        try:
            notebooks.execute(notebook, path.resolve().parent, lambda cell: ends.append(time.perf_counter()))
        except RuntimeError as error:
            raise RuntimeError(f"{path.name}, {error}") from error
    return {"lesson": about.lesson, "seconds": round(ends[-1] - ends[0], 1), "pace": round((before + pace()) / 2, 2),
            "peak_mb": round(memory.peak_mb), "bytes": os.path.getsize(path), "code": notebooks.fingerprint(path),
            **facts(f"mlcourse bench lessons {about.lesson}", seed=0)}


def rows(names: list[str]) -> Iterator[dict]:
    """A row for each of these lessons, or for all. Raises FileNotFoundError, before anything runs, for one there is
    not, and what `measure` raises."""
    found = [notebooks.find(name) for name in names] or [lesson.path for lesson in notebooks.lessons()]
    return map(measure, found)


def line(row: dict) -> str:
    """One line of the table."""
    return (f"lesson {row['lesson']}   {row['seconds']:6.1f} s at pace {row['pace']:.2f}   "
            f"{row['peak_mb']:5.0f} MB at the peak   {row['bytes'] / MB:5.2f} MB on disk")
