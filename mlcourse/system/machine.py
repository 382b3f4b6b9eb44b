"""Settings of the process that make large tensors cheap, and the threads that every lesson is timed with."""

from __future__ import annotations

import ctypes
import os
import platform
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache

THREADS = 2


def malloc_settings() -> dict[str, int]:
    """glibc's malloc parameters by name, empty where the C library is another one.

    By default glibc hands every block above 32 MiB back to the system when it is freed, so each large
    tensor is paid for again in page faults. With these settings freed memory stays with the process.
    Before glibc 2.35 a threshold above 32 MiB is refused, so that is what older ones get.
    """
    name, version = platform.libc_ver()
    if name != "glibc":
        return {}
    recent = tuple(int(part) for part in version.split(".")[:2]) >= (2, 35)
    return {
        "MALLOC_MMAP_THRESHOLD_": 2**30 if recent else 2**25,
        "MALLOC_TRIM_THRESHOLD_": 2**31 - 1,
        "MALLOC_TOP_PAD_": 2**26,
    }


def environment() -> dict[str, str]:
    """Environment variables for a new process that computes: threads and malloc. They must be set before it starts.

    Threads that wait sleep instead of spinning: on two cores that something else also uses, spinning threads make
    small networks five to ten times slower.
    """
    threads = {name: str(THREADS) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    return threads | {"OMP_WAIT_POLICY": "PASSIVE"} | {name: str(value) for name, value in malloc_settings().items()}


def prepare() -> None:
    """Make these settings in this process and for those it starts, where the user's environment does not make them.

    To be called before torch is imported, whose threads read them once.
    """
    for name, value in environment().items():
        os.environ.setdefault(name, value)


def keep_freed_memory() -> bool:
    """Apply the malloc settings to this process, for commands that compute in it; True where they took effect."""
    numbers = {"MALLOC_TRIM_THRESHOLD_": -1, "MALLOC_TOP_PAD_": -2, "MALLOC_MMAP_THRESHOLD_": -3}  # <malloc.h>
    settings = malloc_settings()
    if not settings:
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return all([mallopt(numbers[name], value) == 1 for name, value in settings.items()])


def threads() -> int:
    """How many threads the course computes with: what OMP_NUM_THREADS says, else THREADS."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return int(asked) if asked.isdecimal() and int(asked) > 0 else THREADS


def limit_threads() -> None:
    """Let torch compute with `threads()` threads, so that the same seed gives the same numbers on any number of cores."""
    import torch

    torch.set_num_threads(threads())


def in_parallel(work: Callable, items: Sequence) -> list:
    """[work(item) for item in items], the items shared among `threads()` threads that compute with one core each.

    Large pieces of work run faster so than one after the other with every core on each operation: no operation waits
    for threads to start, and each core keeps its own piece in its cache. Gradient mode is that of the caller. The
    results come in the order of the items; whatever `work` raises is raised. `work` must not use torch.func, whose
    transforms are not made for threads.
    """
    import torch

    grad = torch.is_grad_enabled()

    def alone(item):
        torch.set_num_threads(1)
        with torch.set_grad_enabled(grad):
            return work(item)

    with one_core():
        if len(items) < 2 or threads() < 2:
            return [work(item) for item in items]
        return list(_workers(threads()).map(alone, items))


@contextmanager
def one_core() -> Iterator[None]:
    """Let torch compute with one thread in this block: for many small operations, which threads would only slow down."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@cache
def _workers(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, thread_name_prefix="mlcourse")
