"""Threads that share pieces of work: nothing hangs after a fork or in a nested call, errors and Ctrl-C end the work."""

import json
import os
import subprocess
import sys
import textwrap
import threading
import time

import pytest
import torch

from mlcourse.system.machine import device, in_parallel, one_core

LIMIT = 240         # seconds until a program counts as one that hangs

BEFORE = """
import os, torch
from mlcourse.system.machine import in_parallel, limit_threads, one_core

def product(seed):
    x = torch.randn(300, 300, generator=torch.Generator().manual_seed(seed)).requires_grad_()
    return float(torch.autograd.grad((x @ x).sigmoid().sum(), x)[0].sum())

def forked(work):
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

limit_threads()
once = in_parallel(product, range(4))
"""


def program(source, limit=LIMIT):
    """The output of a program that has computed on all cores; the test fails where it takes over `limit` seconds."""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", BEFORE + textwrap.dedent(source)], timeout=limit,
                          capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "2"})
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


PROGRAMS = {
    # Operations of torch, the shared work, and blocks of one core, also with threads asked for anew.
    "a forked process computes on": """
        def work():
            assert in_parallel(product, range(4)) == once
            limit_threads()
            torch.randn(2000, 2000).exp().sum()
            with one_core():
                pass
            torch.randn(2000, 2000).exp().sum()
            forked(lambda: in_parallel(product, range(4)))
        forked(work)
        assert in_parallel(product, range(4)) == once and torch.get_num_threads() == 2
    """,
    # From a block of one core and from a worker. While another thread computes nothing can be promised: a fork takes
    # over whatever lock that thread holds inside torch.
    "a process forked in the middle computes on": """
        work = lambda: (torch.randn(2000, 2000).exp().sum(), in_parallel(product, range(3)))
        def block():
            with one_core():
                child = os.fork()
            if child == 0:
                try:
                    work()
                finally:
                    os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
        block()
        in_parallel(lambda i: forked(work), range(2))
    """,
    # multiprocessing with "fork", and the workers of a DataLoader.
    "processes and loaders that fork compute on": """
        import multiprocessing
        from torch.utils.data import DataLoader
        def work(i):
            return in_parallel(product, range(4)) == once
        context = multiprocessing.get_context("fork")
        processes = [context.Process(target=lambda: os._exit(not work(0))) for _ in range(2)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        assert [process.exitcode for process in processes] == [0, 0]
        class Set(torch.utils.data.Dataset):
            def __len__(self):
                return 4
            def __getitem__(self, i):
                return work(i)
        loader = DataLoader(Set(), batch_size=None, num_workers=2, multiprocessing_context="fork")
        assert all(bool(item) for item in loader)
    """,
    "a learner is judged and trained in a forked process": """
        import sys
        sys.path.insert(0, "tests")
        from tiny import PICTURES, learner
        from mlcourse.evaluate import scores
        from mlcourse.train import train
        judged = learner("maml")
        first = scores(judged, PICTURES, 30)
        def work():
            torch.testing.assert_close(scores(judged, PICTURES, 30), first)
            train(judged, judged.phases(PICTURES, 2, tasks=8), progress=False)
        forked(work)
    """,
    "nested calls are computed one after another": """
        import threading
        name = lambda: threading.current_thread().name
        names = in_parallel(lambda i: in_parallel(lambda j: (i, j, name()), range(3)), range(4))
        assert [[(i, j) for i, j, _ in row] for row in names] == [[(i, j) for j in range(3)] for i in range(4)]
        assert all(len({name for _, _, name in row}) == 1 for row in names)
        twice = lambda work: in_parallel(work, range(2))
        deep = twice(lambda i: twice(lambda j: twice(product)))
        assert deep == [[once[:2]] * 2] * 2
    """,
    "a worker may wait for a thread that shares work": """
        import threading
        def waits(i):
            thread = threading.Thread(target=in_parallel, args=(product, range(3)))
            thread.start()
            thread.join()
            return i
        assert in_parallel(waits, range(4)) == [0, 1, 2, 3]
    """,
}
ONE_AFTER_ANOTHER = """
import json, sys, traceback
for name, source in json.load(sys.stdin).items():
    try:
        exec(source, dict(globals()))
        outcome = "done"
    except Exception:
        outcome = traceback.format_exc()
    print(json.dumps([name, outcome]), flush=True)
"""


def possible(name):
    """Whether this system can run the program of this name."""
    return "fork" not in name or hasattr(os, "fork")


@pytest.fixture(scope="module")
def outcomes():
    """By the name of each program "done" or its traceback, all in one process that has computed on all cores. Where one
    hangs or dies, it and those after it are missing."""
    sources = {name: textwrap.dedent(source) for name, source in PROGRAMS.items() if possible(name)}
    with subprocess.Popen([sys.executable, "-W", "ignore", "-c", BEFORE + ONE_AFTER_ANOTHER], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True, env=os.environ | {"OMP_NUM_THREADS": "2"}) as process:
        stop = threading.Timer(LIMIT, process.kill)
        stop.start()
        said, _ = process.communicate(json.dumps(sources))
        stop.cancel()
    return dict(map(json.loads, said.splitlines()))


@pytest.mark.parametrize("name", PROGRAMS)
def test_nothing_hangs(name, outcomes):
    if not possible(name):
        pytest.skip("this system has no fork")
    assert outcomes.get(name, "it hangs or dies, or one before it does") == "done"


def test_ctrl_c_ends_the_work_soon():
    """The piece in progress ends, no other begins, and the process can compute on."""
    out = program("""
        import signal, threading, time
        signal.signal(signal.SIGINT, signal.default_int_handler)        # a shell's background job ignores it
        begun = []
        def slow(i):
            begun.append(i)
            time.sleep(0.2)
        threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        try:
            in_parallel(slow, range(1000))
        except KeyboardInterrupt:
            print("interrupted")
        assert len(begun) < 100 and torch.get_num_threads() == 2
        count = len(begun)
        assert in_parallel(product, range(4)) == once
        time.sleep(0.5)
        assert len(begun) == count
    """)
    assert out == "interrupted\n"


def test_in_parallel_keeps_order_gradient_mode_and_threads():
    before = torch.get_num_threads()
    with torch.no_grad():
        seen = in_parallel(lambda i: (i, torch.is_grad_enabled(), torch.get_num_threads()), range(5))
    assert seen == [(i, False, 1) for i in range(5)]
    assert in_parallel(lambda i: torch.get_num_threads(), [0]) == [1] and in_parallel(str, []) == []
    with one_core():
        assert in_parallel(lambda i: i, range(3)) == [0, 1, 2] and torch.get_num_threads() == 1
        with one_core():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit])
def test_the_first_error_is_raised_and_the_rest_is_not_begun(kind, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    before, begun, ended, failing = torch.get_num_threads(), [], [], threading.Event()

    def work(i):
        begun.append(i)
        time.sleep(0.01)
        if i == 2:              # fails first
            failing.set()
            raise kind("item 2")
        if i == 1:
            failing.wait(LIMIT)
            raise kind("item 1")
        ended.append(i)

    with pytest.raises(kind, match="item 1"):
        in_parallel(work, range(200))
    assert len(begun) < 100 and len(ended) == len(begun) - 2 and torch.get_num_threads() == before
    assert in_parallel(lambda i: i, range(3)) == [0, 1, 2]


def test_several_threads_may_call_at_once_and_keep_their_number_of_threads():
    """Also one that begins while another computes."""
    before, found = torch.get_num_threads(), {}

    def call(name):
        found[name] = [in_parallel(lambda i: (name, i, torch.get_num_threads()), range(4)) for _ in range(10)]
        found[name, "after"] = torch.get_num_threads()

    threads = [threading.Thread(target=call, args=(name,)) for name in "abc"]
    with one_core():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LIMIT)
    assert all(found[name] == [[(name, i, 1) for i in range(4)]] * 10 for name in "abc")
    assert all(found[name, "after"] == before for name in "abc") and torch.get_num_threads() == before
    thread = threading.Thread(target=lambda: found.update(later=torch.get_num_threads()))
    thread.start()
    thread.join(LIMIT)
    assert found["later"] == before


def test_threads_are_kept_and_used_again():
    """A thread that ends while a process forks can leave a lock of MKL's behind that nobody opens."""
    own = lambda: {thread.ident for thread in threading.enumerate() if thread.name.startswith("mlcourse")}
    in_parallel(lambda i: time.sleep(0.01), range(6))
    before = own()
    for _ in range(5):
        in_parallel(lambda i: time.sleep(0.001), range(6))
    assert before and own() == before
    with pytest.raises(ZeroDivisionError):
        in_parallel(lambda i: 1 / (i - 2), range(6))
    assert own() == before and in_parallel(lambda i: i, range(5)) == [0, 1, 2, 3, 4]


def test_a_device_is_one_that_is_here():
    assert device("cpu") == torch.device("cpu")
    for name, says in (("gpu", "device must be cpu, cuda or mps, got 'gpu'"), ("meta", "got 'meta'"),
                       ("cuda:77", "there is no device cuda:77 here; this torch finds .*cpu")):
        with pytest.raises(ValueError, match=says):
            device(name)
