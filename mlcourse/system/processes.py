"""Generators side by side, each in a process of its own, where a system forks processes safely; else one after
another."""

from __future__ import annotations

import multiprocessing
import signal
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from multiprocessing.connection import Connection, wait

from mlcourse.system import machine


def side_by_side(work: Callable[[object], Iterable], items: Sequence) -> Iterator:
    """Everything that work(item) yields for each of the items, as it comes.

    `machine.threads()` items are worked on at a time, each in a process forked for it that computes in one thread; what
    it yields is pickled on the way. For one item, with one thread, in a process that was forked itself, and where
    forking is not safe (macOS) or not there (Windows), the items follow one another in this process. Of one item's
    values the order stays. Raises what `work` raises, and RuntimeError where a process ends without a word; then, after
    Ctrl-C and when the generator is closed, the other processes are ended.
    """
    if len(items) < 2 or machine.threads() < 2 or machine.is_forked() or not sys.platform.startswith("linux"):
        for item in items:
            yield from work(item)
        return
    waiting, running = list(items)[::-1], {}
    try:
        while waiting or running:
            while waiting and len(running) < machine.threads():
                connection, process = _started(work, waiting.pop())
                running[connection] = process
            for connection in wait(list(running)):
                try:
                    value, error = connection.recv()
                except EOFError:
                    process = running.pop(connection)
                    process.join()
                    if process.exitcode:
                        raise RuntimeError(f"a process that computed ended with code {process.exitcode} before its "
                                           "work was done; if memory ran out, set OMP_NUM_THREADS=1, which needs "
                                           "one") from None
                    continue
                if error is not None:
                    raise error
                yield value
    finally:
        for process in running.values():
            process.terminate()
        for process in running.values():
            process.join()


def _started(work: Callable[[object], Iterable], item: object) -> tuple[Connection, multiprocessing.Process]:
    """A process that works on the item, and the end of the pipe that its values come out of."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(work, item, theirs), daemon=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)     # of forking beside threads: those of `machine` are idle
        process.start()
    theirs.close()
    return ours, process


def _send(work: Callable[[object], Iterable], item: object, connection: Connection) -> None:
    """In the process: send (value, None) for every value, and (None, error) for an error. Ctrl-C is for the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        for value in work(item):
            connection.send((value, None))
    except BaseException as error:
        connection.send((None, error))
