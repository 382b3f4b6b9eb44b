"""Work of an explorer that takes longer than a redraw: done in pieces, between which the kernel answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from threading import RLock

PAUSE = 0.02        # seconds before each piece, for the messages that have come meanwhile


class Background:
    """At most one work at a time, on the event loop that the kernel runs.

    turn: the lock of the explorer, held during each piece. ended: called after the last piece, and when a work is
    stopped. A work is an iterator whose every `next` does a piece. All methods may be called from any thread, those of
    JupyterLab's subshells among them.
    """

    def __init__(self, turn: RLock, ended: Callable[[], None] = lambda: None):
        self.turn, self.ended = turn, ended
        self.running = False
        self._work: Iterator | None = None
        self._task: asyncio.Task | None = None

    def start(self, work: Iterator) -> None:
        """Begin a work in place of the one in progress; where no event loop runs (a plain script), do all of it at
        once."""
        with self.turn:
            self.stop()
            self._work, self.running = work, True
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:
                while self._piece(work):
                    pass
                return
            self._task = loop.create_task(self._run(work))

    def stop(self) -> None:
        """End after the piece in progress."""
        with self.turn:
            if self.running:
                self._work, self.running = None, False
                self.ended()

    async def _run(self, work: Iterator) -> None:
        await asyncio.sleep(PAUSE)
        while self._piece(work):
            await asyncio.sleep(PAUSE)

    def _piece(self, work: Iterator) -> bool:
        """Whether more of this work is to be done, after the next piece of it."""
        with self.turn:
            if self._work is not work:
                return False
            try:
                next(work)
            except StopIteration:
                self.stop()
            except BaseException:
                self.stop()
                raise
            return self.running
