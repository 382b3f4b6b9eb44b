"""Settings of the process that make large tensors cheap, and the threads that every lesson is timed with."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager

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
    """Let torch compute with `threads()` threads, so that the same seed gives the same numbers on any number of cores.

    In a process forked from one with torch it is one thread: see `_after_fork`.
    """
    _compute_with(threads())


def is_one_of_several() -> bool:
    """Whether this thread is one of those that `in_parallel` shares work among."""
    return _here.works


def in_parallel(work: Callable, items: Sequence) -> list:
    """[work(item) for item in items], the items shared among `threads()` threads that compute with one core each.

    Large pieces of work run faster so than one after the other with every core on each operation: no operation waits
    for threads to start, and each core keeps its own piece in its cache. Gradient mode is that of the caller. The
    results come in the order of the items. `work` must not use torch.func, whose transforms are not made for threads.

    Where `work` itself calls this function, the inner items are computed one after another, and so are all in a process
    that was forked from one with torch (`_after_fork`). Several threads may call it at once. Raises what `work` raises,
    of several errors that of the first item; then, and after Ctrl-C, no further item begins, and the call ends when the
    items in progress have.
    """
    import torch

    if len(items) < 2 or threads() < 2 or _here.works or _forked:
        with one_core():
            return [work(item) for item in items]
    grad = torch.is_grad_enabled()

    def alone(item):
        _here.works = _here.alone = True
        torch.set_num_threads(1)
        with torch.set_grad_enabled(grad):
            return work(item)

    with one_core(), _borrowed_pool() as pool:
        pieces = []
        try:
            for item in items:          # inside the block: Ctrl-C meanwhile leaves nothing behind in the pool
                pieces.append(pool.submit(alone, item))
            wait(pieces, return_when=FIRST_EXCEPTION)
        finally:
            wait([piece for piece in pieces if not piece.cancel()])
        failed = next((piece for piece in pieces if not piece.cancelled() and piece.exception()), None)
        return [piece.result() for piece in ([failed] if failed else pieces)]


@contextmanager
def _borrowed_pool() -> Iterator[ThreadPoolExecutor]:
    """A pool of `threads()` threads that nobody else uses meanwhile. Its threads are kept: one that ends frees its
    memory in MKL after Python has joined it, and a fork at that moment would take over MKL's lock for ever."""
    count = threads()
    try:
        pool = _idle.setdefault(count, []).pop()
    except IndexError:
        pool = ThreadPoolExecutor(count, thread_name_prefix="mlcourse")
    try:
        yield pool
    finally:
        _idle[count].append(pool)


@contextmanager
def one_core() -> Iterator[None]:
    """Let torch compute with one thread in this block: for many small operations, which threads would only slow
    down."""
    import torch

    if _here.alone:
        yield
        return
    with _blocks.lock:
        count = torch.get_num_threads()
        if not _blocks.open:
            _blocks.outside = count
        elif count == 1:        # a thread that began meanwhile has its number from another's block
            count = _blocks.outside
        _blocks.open += 1
    _here.alone = True
    try:
        torch.set_num_threads(1)
        yield
    finally:
        _here.alone = False
        with _blocks.lock:
            _blocks.open -= 1
            _compute_with(count)


class _Here(threading.local):
    """Of the current thread: whether it computes with one core in a block, and whether it works for `in_parallel`."""

    alone = False
    works = False


class _Blocks:
    """The blocks of `one_core` that are open in all threads, and torch's number of threads outside of them."""

    def __init__(self):
        self.lock, self.open, self.outside = threading.Lock(), 0, 1


_here, _blocks, _forked = _Here(), _Blocks(), False
_idle: dict[int, list[ThreadPoolExecutor]] = {}       # pools that wait for work, by their number of threads


def _compute_with(count: int) -> None:
    import torch

    torch.set_num_threads(1 if _forked else count)


def _after_fork() -> None:
    """In a process forked from one with torch: compute in one thread from now on. The threads that torch's operations
    share do not live there, and the first operation that asked for them would wait for ever.

    A fork while another thread computes takes over whatever lock that thread holds, and nothing here can free it.
    """
    global _forked
    _blocks.lock.release()
    if hasattr(sys.modules.get("torch"), "set_num_threads"):
        _forked = True
        _compute_with(1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_blocks.lock.acquire, after_in_parent=_blocks.lock.release, after_in_child=_after_fork)


def is_forked() -> bool:
    """Whether this process was forked from one with torch, and so computes in one thread."""
    return _forked


def device(name: str):
    """The torch.device of this name, "cpu", "cuda", "cuda:1" or "mps". Raises ValueError where it is none, or torch
    finds none here."""
    import torch

    try:
        found = torch.device(name)
    except RuntimeError as error:
        raise ValueError(f"device must be cpu, cuda or mps, got {name!r}") from error
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if found.type not in there:
        raise ValueError(f"device must be cpu, cuda or mps, got {name!r}")
    if not there[found.type] or found.index is not None and found.index >= (
            torch.cuda.device_count() if found.type == "cuda" else 1):
        here = ", ".join(kind for kind, is_there in there.items() if is_there)
        raise ValueError(f"there is no device {name} here; this torch finds {here}")
    return found
