"""The benchmarks of the engine compute the same as their peers, count right, and their rows meet the course's goals."""

import itertools
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from kept_rows import FACTS, kept
from tiny import patterns

from mlcourse.bench import growth, omniglot, peers
from mlcourse.bench.peer_code import stock
from mlcourse.episode import Splits
from mlcourse.learners import FOMAML, MAML, method
from mlcourse.nets import MLP, Conv4
from mlcourse.rows import read
from mlcourse.system import paths
from mlcourse.system.memory import peak_memory
from mlcourse.system.timing import WARM_UP, in_turn


# ---------------------------------------------------------- time and memory


def test_sides_take_turns_and_the_first_turns_do_not_count(monkeypatch):
    ticks, order = itertools.count(), []
    monkeypatch.setattr("time.perf_counter", lambda: float(next(ticks)))
    times = in_turn({"a": lambda: order.append("a"), "b": lambda: (order.append("b"), next(ticks))}, 3)
    monkeypatch.undo()
    assert times == {"a": [1000.0] * 3, "b": [2000.0] * 3} and "".join(order) == "ab" * (WARM_UP + 3)


def test_a_turn_of_short_calls_is_filled_and_its_time_is_their_mean(monkeypatch):
    now, called = [0.0], []
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    times = in_turn({length: partial(lambda length: (called.append(length), now.insert(0, now[0] + length)), length)
                     for length in (0.25, 0.5, 3.0)}, 2, fill=1000.0)
    monkeypatch.undo()
    assert times == {0.25: [250.0] * 2, 0.5: [500.0] * 2, 3.0: [3000.0] * 2}
    assert called == [0.25] * 4 + [0.5] * 2 + [3.0] + ([0.25] * 4 + [0.5] * 2 + [3.0]) * (WARM_UP + 1)


@pytest.mark.alone
def test_memory_is_that_of_the_steps_alone():
    held = bytearray(400_000_000)       # of this process, which must not hide the steps'
    assert 95 <= peak_memory(partial, bytearray, 100_000_000) <= 130
    assert len(held) == 400_000_000
    with pytest.raises(RuntimeError, match="measuring the memory of .* ended with exit status 1"):
        peak_memory(partial, int, "no number")


# ------------------------------------------------------------------- peers


@pytest.mark.parametrize("workload, peer", [(load.name, peer) for load in peers.LOADS.values()
                                            for peer in load.peers])
def test_a_peer_has_our_gradient(workload, peer):
    if peer != "loop":
        pytest.importorskip(peer)
    assert peers.difference(peers.LOADS[workload], peer) < 1e-10


def test_another_gradient_is_refused(monkeypatch):
    monkeypatch.setitem(peers.PEERS, "loop", lambda net, work: net(work.batch.task(0).query_x).sum().backward())
    with pytest.raises(RuntimeError, match="our gradient and that of loop differ by"):
        peers.difference(peers.LOADS["sinusoid MLP, 25 tasks, 1 step"], "loop")


def test_operations_are_those_counted_by_hand():
    """A layer of i inputs and o outputs is a product of 2·5·i·o operations on the 5 pictures of a support or query set:
    F for all layers, F1 of it in the first, whose input needs no gradient.

    Inner step: forward F; backward a product for each weight, F, and for each input but the first, F - F1.
    Query loss: the same at the adapted weights.
    Through the inner backward: a weight's gradient (error × input) asks for that of the error, F, and of the input,
    F - F1; an input's gradient (weight × error) for that of the error and of the weight, 2 (F - F1).
    Through the inner forward: as any backward, F + F - F1.
    """
    sizes = (784, 256, 128, 64, 64, 5)
    products = [2 * 5 * i * o for i, o in itertools.pairwise(sizes)]
    f, rest = sum(products), sum(products[1:])
    a_task = (f + f + rest) + (f + f + rest) + (f + rest + 2 * rest) + (f + rest)
    load = peers.LOADS["fully connected, 32 tasks, 1 step"]
    assert peers.operations(load) == 32 * a_task
    assert peers.operations(peers.replace(load, tasks=64)) == 2 * peers.operations(load)


@pytest.mark.parametrize("net", [MLP((784, 20, 10, 5)), MLP((784, 20, 10, 5), "batch"), Conv4(5, 8),
                                 Conv4(5, 8, "max")], ids=lambda net: str(net.config))
def test_a_stock_network_predicts_as_ours(net):
    with torch.no_grad():
        for p in net.parameters():
            p += 0.1 * torch.randn(p.shape, generator=torch.Generator().manual_seed(0))
    x = torch.rand(6, 1, 28, 28, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(stock(net)(x), net(x))


@pytest.fixture
def tiny_load(monkeypatch):
    """The only load: two tasks of a small network, whose memory is not measured; compiling costs nothing."""
    load = peers.Load("tiny", lambda: MAML(MLP((784, 8, 5)), 0.1), 2, peers=("loop",))
    monkeypatch.setattr(peers, "LOADS", {"tiny": load})
    monkeypatch.setattr(peers, "peak_memories", lambda make, each: [12.5 for _ in each])
    monkeypatch.setattr(peers, "compiler_missing", lambda: "")
    monkeypatch.setattr(torch, "compile", lambda graph, **_: graph)
    return load


def test_a_row_of_peers_says_what_was_measured(tiny_load, mlcourse, tmp_path):
    out = tmp_path / "peers.json"
    status, said, _ = mlcourse("bench", "peers", "--rounds", 1, "--out", out)
    assert status == 0 and "against the best peer: geometric mean" in said and "(tiny)" in said
    [row] = read(out)
    assert FACTS | {"workload", "ours_ms", "peer", "peer_ms", "ratio", "peak_share"} <= set(row)
    assert row["workload"] == "tiny" and row["peer"] == "loop" and row["command"] == "mlcourse bench peers 'tiny'"
    assert row["ours_ms"] > 0 and row["peer_ms"] > 0 and row["ratio"] > 0 and row["peak_share"] >= 0
    assert row["compiled_ms"] > 0
    assert row["compiled_ratio_range"][0] <= row["compiled_ratio"] <= row["compiled_ratio_range"][1]
    assert said.count("against the best peer") == 2 and "compiled" in peers.line(row)
    assert row["ours_peak_mb"] == row["peer_peak_mb"] == 12.5 and row["gradient_difference"] < 1e-10
    assert "tiny" in peers.line(row)


def test_what_train_does_not_compile_is_not_measured_compiled(tiny_load, monkeypatch):
    assert peers.compiles(tiny_load)
    assert not peers.compiles(peers.replace(tiny_load, learner=lambda: MAML(Conv4(5, 8), 0.1)))
    monkeypatch.setattr(peers, "compiler_missing", lambda: "g++")
    [row] = peers.measure(tiny_load, 1)
    assert "compiled_ms" not in row and "compiled" not in peers.line(row) and len(peers.conclusions([row])) == 1


def test_an_unknown_workload_is_refused_first(tiny_load):
    with pytest.raises(ValueError, match="unknown workload 'other'; known are: tiny"):
        next(peers.rows(["tiny", "other"]))


def test_the_best_peer_of_each_load_counts():
    rows = [{"workload": workload, "peer": peer, "ratio": ratio} for workload, peer, ratio in (
        ("a", "loop", 8.0), ("a", "higher", 9.0), ("b", "loop", 3.0), ("b", "higher", 2.0), (peers.EXTRA, "loop", 0.1))]
    assert peers.summary(rows) == peers.Summary(pytest.approx(4.0), 2.0, "b", 2)
    assert peers.summary([*rows[:-2], rows[-2] | {"compiled_ratio": 18.0}], compiled=True).least == 3.0
    assert peers.summary(rows[-1:]) is None and peers.conclusions(rows[-1:]) == []
    assert "geometric mean 4.00 over 2 workloads, least 2.00 (b)" in peers.conclusions(rows)[0]


# ---------------------------------------------------------------- omniglot


@pytest.fixture
def small_omniglot(monkeypatch):
    """A few easy classes for each split, four test episodes, and a clock that goes on by 0.35 s whenever it is read."""
    splits = Splits(*(patterns(seed, classes, 20, 28) for seed, classes in enumerate((15, 8, 8))))
    monkeypatch.setattr(omniglot.datasets, "load_splits", lambda name: splits)
    monkeypatch.setattr(omniglot, "EPISODES", 4)
    ticks = itertools.count()
    monkeypatch.setattr(omniglot, "time", SimpleNamespace(perf_counter=lambda: 0.35 * next(ticks)))
    return splits


@pytest.mark.parametrize("name", list(omniglot.NAMES))
def test_a_row_of_omniglot_says_what_was_trained_and_how_it_was_judged(small_omniglot, monkeypatch, name):
    monkeypatch.setattr(omniglot, "MARKS", (0.01, 1.0))
    first, last = omniglot.rows([name], 0.02, [1])
    for row in (first, last):
        assert FACTS | {"method", "norm", "transductive", "train_way", "way", "shot", "query", "steps", "split",
                        "minutes", "accuracy", "ci95"} <= set(row)
        assert row["method"] == name and row["split"] == "test" and row["seed"] == 1 and row["of_minutes"] == 0.02
        assert 0 <= row["accuracy"] <= 100 and row["ci95"] >= 0 and row["way"] == 5 and row["episodes"] == 4
        assert row["steps"] == (method(name).test_steps or 0) and row["train_way"] == (method(name).train_way or 5)
        assert row["command"] == f"mlcourse bench omniglot --method {name} --minutes 0.02 --seed 1"
    assert (first["minutes"], first["outer_steps"], last["minutes"], last["outer_steps"]) == (0.01, 2, 0.02, 4)


def test_omniglot_is_drawn_once_from_all_rows(small_omniglot, mlcourse, tmp_path):
    out = tmp_path / "rows.json"
    words = ("bench", "omniglot", "--minutes", 0.01, "--method", "fomaml", "--seed", 0, "--seed", 1, "--out", out)
    status, said, _ = mlcourse(*words)
    assert status == 0 and said.count("drawn in") == 1 and len(read(out)) == 2
    assert out.with_suffix(".png").read_bytes().startswith(b"\x89PNG")


def test_an_unknown_method_is_refused_before_anything(monkeypatch, mlcourse, tmp_path):
    monkeypatch.setattr(omniglot.datasets, "load_splits", lambda name: pytest.fail("the data were read"))
    out = tmp_path / "rows.json"
    status, said, err = mlcourse("bench", "omniglot", "--method", "maml", "--method", "other", "--out", out)
    assert status == 2 and said == "" and "unknown method 'other'; known are maml, " in err and not out.exists()


def test_rows_are_not_written_where_the_picture_goes(mlcourse, tmp_path):
    status, _, err = mlcourse("bench", "growth", "--out", tmp_path / "growth.png")
    assert status == 2 and "give it a name that ends in .json" in err and not list(tmp_path.iterdir())


def test_the_clock_counts_between_start_and_stop(monkeypatch):
    readings = iter([10.0, 12.0, 100.0, 101.0, 200.0, 300.0])
    monkeypatch.setattr(omniglot, "time", SimpleNamespace(perf_counter=lambda: next(readings)))
    clock = omniglot.Clock(0.1)
    shares = []
    for _ in range(3):
        clock.start()
        clock.stop()
        shares.append(clock.share())
    assert clock.spent == 103 and shares[:2] == [pytest.approx(2 / 6), pytest.approx(3 / 6)] and 0.99 < shares[2] < 1


# ------------------------------------------------------------------ growth


def test_growth_varies_one_thing_at_a_time():
    base = growth.Point()
    assert (base.tasks, base.steps, base.ways, base.width, base.order) == (8, 1, 5, 64, 2)
    for axis, values in growth.AXES.items():
        found = growth.points(axis)
        assert [p for p in found if p.order == 2] == [growth.replace(base, **{axis: value}) for value in values]
        assert len(found) == len(values) * (2 if axis == "steps" else 1)
    with pytest.raises(ValueError, match="unknown axis 'depth'; known are tasks, steps, ways, width"):
        next(growth.rows(["tasks", "depth"]))


@pytest.mark.parametrize("order, kind", [(2, MAML), (1, FOMAML)])
def test_growth_computes_the_meta_gradient_of_its_point(order, kind):
    point = growth.Point(tasks=2, steps=2, ways=3, width=4, order=order)
    shapes = [p.shape for p in kind(Conv4(3, 4), growth.RATE, 2).parameters()]
    first, again = growth.step_of(point)(), growth.step_of(point)()
    assert [g.shape for g in first] == shapes and all(map(torch.equal, first, again))
    other = growth.step_of(growth.replace(point, order=3 - order))()
    assert not torch.allclose(first[0], other[0])


def test_growth_keeps_rows_and_draws_them(monkeypatch, mlcourse, tmp_path):
    monkeypatch.setattr(growth, "AXES", {"tasks": (1, 2), "steps": (1, 2, 3)})
    monkeypatch.setattr(growth, "Point", partial(growth.Point, tasks=2, width=4))
    monkeypatch.setattr(growth, "peak_memories", lambda make, each: [10.0 * point.steps for (point,) in each])
    out = tmp_path / "growth.json"
    status, said, _ = mlcourse("bench", "growth", "--rounds", 1, "--out", out)
    assert status == 0 and "ms for each inner step, R² " in said and "times as long as first" in said
    rows = read(out)
    assert [(row["axis"], row["order"], row["value"]) for row in rows] == [
        ("steps", 1, 1), ("steps", 1, 2), ("steps", 1, 3), ("steps", 2, 1), ("steps", 2, 2), ("steps", 2, 3),
        ("tasks", 2, 1), ("tasks", 2, 2)]
    for row in rows:
        assert FACTS <= set(row) and row["command"] == f"mlcourse bench growth --axis {row['axis']}"
        assert row[row["axis"]] == row["value"] and row["ms"] > 0 and row["peak_mb"] == 10 * row["steps"]
    assert out.with_suffix(".png").read_bytes().startswith(b"\x89PNG")


def test_growth_sums_up_the_inner_steps():
    row = lambda order, value, ms: {"axis": "steps", "order": order, "value": value, "ms": ms}
    rows = [row(2, value, 10 + 20 * value) for value in (1, 2, 3)] + [row(1, 1, 15), row(1, 3, 20)]
    found = growth.summary(rows)
    assert found[:3] == pytest.approx((20, 10, 1)) and found.ratios == {1: 2.0, 3: 3.5}
    assert growth.conclusions(rows)[0] == "second order: 10.0 ms + 20.0 ms for each inner step, R² 1.0000"
    assert growth.conclusions(rows)[1] == "second order takes 2.00 to 3.50 times as long as first"
    assert growth.conclusions([{**rows[0], "axis": "tasks"}]) == []


# ------------------------------------------------------------- stored rows


@pytest.mark.parametrize("name", ["peers", "omniglot", "growth"])
def test_every_stored_row_says_what_made_it(name):
    for row in kept(name):
        assert FACTS <= set(row) and row["command"].startswith(f"mlcourse bench {name}")
        assert row["commit"] and row["threads"] == 2 and row["versions"]["torch"]


def test_every_load_has_a_stored_row_for_each_peer():
    expected = {(load.name, peer) for load in peers.LOADS.values() for peer in load.peers}
    assert {(row["workload"], row["peer"]) for row in kept("peers")} == expected


def test_the_stored_rows_of_peers_meet_the_goals():
    rows = kept("peers")
    found = peers.summary([row for row in rows if row["peer"] != "jax"])
    assert found.workloads == len(peers.LOADS) - 1 and found.geometric_mean >= 4 and found.least >= 1.5, found
    assert peers.summary(rows, compiled=True).least > 1
    beside_none = [row for row in rows if row["workload"].startswith("Conv4") and row["peer"] != "jax"]
    assert all(row["peak_share"] >= 0.30 for row in beside_none), "JAX's threads take their share of the cores"
    assert all(row["gradient_difference"] < 1e-10 for row in rows)


def test_every_method_has_stored_rows_up_to_its_budget_for_three_seeds():
    rows = kept("omniglot")
    assert {row["method"] for row in rows} == set(omniglot.NAMES)
    for name in omniglot.NAMES:
        ends = {row["seed"] for row in rows if row["method"] == name and row["minutes"] == row["of_minutes"]}
        assert ends >= {0, 1, 2}, name


def test_every_point_of_growth_has_a_stored_row_and_second_order_is_linear():
    rows = kept("growth")
    expected = {(axis, point.order, getattr(point, axis)) for axis in growth.AXES for point in growth.points(axis)}
    assert {(row["axis"], row["order"], row["value"]) for row in rows} == expected
    assert all(row["rounds"] >= 7 for row in rows)
    found = growth.summary(rows)
    assert found.r2 >= 0.99 and min(found.ratios.values()) > 1


@pytest.mark.parametrize("name", ["omniglot", "growth"])
def test_stored_rows_have_their_picture(name):
    assert (paths.RESULTS / f"{name}.png").read_bytes().startswith(b"\x89PNG")
