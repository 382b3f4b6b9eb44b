"""How much memory processes take."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

from mlcourse.system.machine import keep_freed_memory, limit_threads

MB = 1_000_000
CALLS = 3


def resident_bytes(process: psutil.Process) -> int:
    """The most memory that a process has held so far where /proc says it, elsewhere what it holds; 0 if it is gone."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii", errors="replace")
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        pass
    try:
        return process.memory_info().rss
    except psutil.Error:
        return 0


def peak_memory(make: Callable[..., Callable[[], object]], *arguments) -> float:
    """The megabytes, 10⁶ bytes, by which three calls of `make(*arguments)()` raise a fresh process's peak memory.

    make: something that a new process can import by its name; the memory that it takes itself does not count. Raises
    RuntimeError when the process fails.
    """
    context = multiprocessing.get_context("spawn")
    answers = context.SimpleQueue()
    process = context.Process(target=_measure, args=(answers, make, *arguments))
    process.start()
    process.join()
    if process.exitcode:
        raise RuntimeError(f"measuring the memory of {', '.join(map(str, arguments))} ended with exit status "
                           f"{process.exitcode}")
    return answers.get()


def peak_memories(make: Callable[..., Callable[[], object]], each: Sequence[tuple]) -> list[float]:
    """`peak_memory(make, *arguments)` for each of these arguments, two processes at a time."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda arguments: peak_memory(make, *arguments), each))


def _measure(answers, make: Callable, *arguments) -> None:
    keep_freed_memory()
    limit_threads()
    step, own = make(*arguments), psutil.Process()
    before = resident_bytes(own)
    for _ in range(CALLS):
        step()
    answers.put(round((resident_bytes(own) - before) / MB, 1))
