"""Jobs of explorers: one at a time, in pieces, from whatever thread the kernel hands a message to."""

import asyncio
import threading
import time

import ipywidgets
import pytest

from mlcourse.plots.scene import Scene
from mlcourse.widgets.base import Explorer
from mlcourse.widgets.background import Background


async def ended(job):
    while job.running:
        await asyncio.sleep(0.01)


def counted(done, name, pieces):
    for i in range(pieces):
        done.append((name, i))
        yield


def test_a_job_runs_in_pieces_between_which_others_get_their_turn_and_a_newer_one_replaces_it():
    async def scene():
        done, calls = [], []
        job = Background(threading.RLock(), lambda: calls.append("ended"))
        job.start(counted(done, "first", 1000))
        while len(done) < 2:
            await asyncio.sleep(0.01)
        job.start(counted(done, "second", 3))
        await ended(job)
        await asyncio.sleep(0.1)
        assert done[-3:] == [("second", i) for i in range(3)] and done[-4][0] == "first" and len(calls) == 2
        job.start(counted(done, "third", 1000))
        job.stop()
        await asyncio.sleep(0.1)
        assert not job.running and done[-1] == ("second", 2)

    asyncio.run(scene())


def test_without_an_event_loop_all_of_it_is_done_at_once():
    done = []
    job = Background(threading.RLock())
    job.start(counted(done, "all", 4))
    assert len(done) == 4 and not job.running


def test_a_piece_that_fails_ends_the_job_and_the_error_is_not_lost():
    def work():
        yield
        raise RuntimeError("broken")

    job = Background(threading.RLock())
    with pytest.raises(RuntimeError, match="broken"):
        job.start(work())
    assert not job.running


def test_a_job_that_another_thread_starts_replaces_the_one_in_progress():
    done, stop = [], threading.Event()
    job = Background(threading.RLock())

    async def first():
        job.start(counted(done, "first", 10_000))
        while not stop.is_set():
            await asyncio.sleep(0.01)

    async def second():
        job.start(counted(done, "second", 5))
        await ended(job)

    other = threading.Thread(target=lambda: asyncio.run(first()))
    other.start()
    while not done:
        time.sleep(0.01)
    asyncio.run(second())
    time.sleep(0.1)
    stop.set()
    other.join()
    assert [each for each in done if each[0] == "second"] == done[-5:]


class Blank(Scene):
    def build(self):
        pass

    def show(self, record):
        pass


class Slow(Explorer):
    """Notes how many threads are inside `compute` at a time."""

    def __init__(self):
        self.inside, self.most, self.seen = 0, 0, []
        super().__init__(Blank(4, 3), {"a": ipywidgets.IntSlider(max=10_000), "b": ipywidgets.IntSlider(max=10_000)})

    def compute(self, *, a, b):
        self.inside += 1
        self.most = max(self.most, self.inside)
        time.sleep(0.002)
        self.seen.append((a, b))
        self.inside -= 1

    def headline(self, record):
        return "finding"

    def describe(self, record):
        return "words"


def test_controls_that_move_in_two_threads_take_turns_and_the_last_picture_is_of_the_last_values():
    explorer = Slow()

    def move(name):
        for value in range(1, 40):
            explorer.controls[name].value = value

    threads = [threading.Thread(target=move, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert explorer.most == 1 and explorer.seen[-1] == (39, 39) and explorer.error is None
