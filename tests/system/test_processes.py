"""Processes side by side: the same values as one after another, and none is left behind, whatever ends them."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time

import pytest
import torch

from mlcourse.system import machine
from mlcourse.system.processes import side_by_side

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere the items follow one another")


@pytest.fixture(autouse=True)
def two(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")


def powers(seed):
    x = torch.randn(50, 50, generator=torch.Generator().manual_seed(seed))
    for k in range(3):
        x = (x @ x).tanh()
        yield seed, k, float(x.sum()), os.getpid()


def test_values_are_those_of_one_after_another_and_each_item_has_its_process_and_order(monkeypatch):
    found = list(side_by_side(powers, range(4)))
    assert sorted(v[:3] for v in found) == [v[:3] for seed in range(4) for v in powers(seed)]
    assert all([k for s, k, *_ in found if s == seed] == [0, 1, 2] for seed in range(4))
    assert len({pid for *_, pid in found}) == 4 and os.getpid() not in {pid for *_, pid in found}
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert {pid for *_, pid in side_by_side(powers, range(4))} == {os.getpid()}


def test_no_more_run_at_a_time_than_there_are_threads():
    context = multiprocessing.get_context("fork")
    running, most, two_run = context.Value("i"), context.Value("i"), context.Barrier(2)

    def counted(item):
        with running.get_lock():
            running.value += 1
            most.value = max(most.value, running.value)
        if item < 2:
            two_run.wait(60)        # fails where they follow one another
        time.sleep(0.05)            # a third one would begin meanwhile
        with running.get_lock():
            running.value -= 1
        yield item

    assert sorted(side_by_side(counted, range(5))) == list(range(5)) and most.value == 2


def test_inside_of_a_process_the_items_follow_one_another():
    nested = list(side_by_side(lambda i: side_by_side(powers, [i, i + 10]), range(2)))
    assert len({pid for *_, pid in nested}) == 2 and len(nested) == 12


@pytest.mark.parametrize("error", [ValueError("three seeds"), KeyboardInterrupt("stopped")])
def test_an_error_reaches_the_caller_after_what_came_before_it(error):
    def fails(item):
        yield item
        if item:
            raise error
        time.sleep(60)

    found, start = [], time.monotonic()
    with pytest.raises(type(error), match=str(error)):
        found.extend(side_by_side(fails, [1, 0]))
    assert time.monotonic() - start < 30, "the other process was waited for"


def test_a_process_that_dies_is_said():
    def dies(item):
        yield item
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(RuntimeError, match="ended with code -9 before its work was done"):
        list(side_by_side(dies, range(2)))


def test_no_process_is_left_when_the_generator_is_closed():
    def endless(item):
        yield os.getpid()
        time.sleep(600)

    values = side_by_side(endless, range(2))
    pid = next(values)
    values.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_ctrl_c_ends_all_of_them_and_only_the_caller_speaks():
    program = ("import signal, time\nfrom mlcourse.system.processes import side_by_side\n"
               "signal.signal(signal.SIGINT, signal.default_int_handler)\n"       # a job in the background ignores it
               "def slow(i):\n    yield i\n    time.sleep(600)\n"
               "try:\n    [print(value, flush=True) for value in side_by_side(slow, range(3))]\n"
               "except KeyboardInterrupt:\n    print('stopped')\n")
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               start_new_session=True, env=os.environ | {"OMP_NUM_THREADS": "2"})
    first = [process.stdout.readline(), process.stdout.readline()]
    os.killpg(process.pid, signal.SIGINT)
    rest, said = process.communicate(timeout=60)
    assert sorted(first) == ["0\n", "1\n"] and rest == "stopped\n" and said == ""


def test_a_process_knows_that_it_was_forked():
    assert not machine.is_forked()
    assert list(side_by_side(lambda _: [machine.is_forked(), torch.get_num_threads()], range(2))) in (
        [True, 1, True, 1], [True, True, 1, 1])
