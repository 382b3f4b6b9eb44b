"""The study of lesson 12 at a tiny size: every arm gives its rows, none twice; how the rows are read."""

import math

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from mlcourse.lessons.l12_stream import study_stream_results as results
from mlcourse.lessons.l12_stream.study_stream import STUDY, Budget
from mlcourse.lessons.l12_stream.study_stream_arms import (ARMS, CANDIDATES, CHOOSING, CHOOSING_STREAMS, EQUAL,
                                                           FTML, LATER, LONGER, NAMES, SIZES, STREAMS, TOE, TUNED,
                                                           WIDER, digits, order, setting, tasks_of)
from mlcourse.online import arms

TINY = Budget(tasks=3, choosing=2, sizes=(2, 4), side=8)
OF_THE_MACHINE = {"seconds": 0, "commit": ""}


def test_every_arm_gives_its_rows_and_none_twice():
    work = STUDY.work([3], stream=[arms.HALF])
    found = list(STUDY.measure(work, [], TINY))
    assert list(map(STUDY.key_of, found)) == STUDY.plan(work, TINY)
    assert {row["arm"] for row in found} == {name for name in NAMES} <= {*ARMS, *(arm.as_is for arm in ARMS.values())}
    assert list(STUDY.measure(work, found, TINY)) == []
    place = next(i for i, row in enumerate(found) if row["arm"] == TOE)
    one, = STUDY.measure(work, [row for i, row in enumerate(found) if i != place], TINY)
    assert one | OF_THE_MACHINE == found[place] | OF_THE_MACHINE
    for row in found:
        assert row["arm"] in STUDY.line(row) and row["sizes"] == [2, 4] and len(row["arriving"]) == 2
        assert [len(each) for each in row["after"]] == [1, 2, 3] == [len(each) for each in row["before"]]
        assert row["command"] == 'mlcourse study stream --stream "half the labels moved" --seed 3'


def test_settings_are_measured_before_the_seeds_with_a_seed_and_streams_that_are_not_reported():
    keys = STUDY.plan(STUDY.work([0], choose=True), STUDY.budget)
    choosing = [key for key in keys if key[-1] == CHOOSING]
    assert keys[:len(choosing)] == choosing and {key[0] for key in choosing} == {*CHOOSING_STREAMS}
    assert not {*CHOOSING_STREAMS} & {*STREAMS} and {key[0] for key in keys[len(choosing):]} == {*STREAMS}
    assert {key[1:3] for key in choosing} == {
        (name, setting(each)) for name in CANDIDATES for each in ARMS[name].choices}
    assert {key[0] for key in keys if key[1] == EQUAL} == {arms.ALL, arms.HALF}
    row = next(STUDY.measure(STUDY.work([0], choose=True), [], TINY))
    assert (row["seed"], row["command"]) == (CHOOSING, "mlcourse study stream --choose")


def test_what_cannot_be_asked_for():
    with pytest.raises(ValueError, match="there is no stream 'digits'; the streams are half the labels moved; "):
        STUDY.work(stream=["digits"])
    with pytest.raises(ValueError, match="seed 100 is the one that settings are chosen with"):
        STUDY.work([100])


@pytest.mark.parametrize("name", (*STREAMS, *CHOOSING_STREAMS))
def test_a_stream_is_the_seeds(name):
    one, same, other = (tasks_of(digits(8), name, 4, seed, 20) for seed in (0, 0, 1))
    assert len(one) == 4 + (name == arms.DRIFT) and len(order(name, 12, 0)) == 12 + (name == arms.DRIFT)
    assert all(torch.equal(a, b) for pair in zip(one, same, strict=True) for a, b in zip(*pair, strict=True))
    assert not torch.equal(one[0].x, other[0].x)


@pytest.mark.parametrize("spent", (LONGER, WIDER, LATER), ids=setting)
def test_the_costlier_fine_tune_has_no_less_to_compute_than_ftml(spent):
    """For a part of the eighth task's data: by the count of gradients, and by all products that are made."""
    ftml, rival = (_before_the_eighth_task(ARMS[arm].plays, each) for arm, each in (
        (FTML, ARMS[FTML].settings(arms.HALF)), (EQUAL, spent)))
    updates = ftml.steps * ftml.tasks * ftml.batch * (3 * ftml.learner.steps + 1)
    assert ftml.tasks == 8
    assert rival.steps * rival.batch + rival.spare == updates and rival.test_steps == ftml.test_steps
    assert all(rival.spare % n == 0 for n in SIZES) and _products(rival) > _products(ftml)


def _before_the_eighth_task(name, settings):
    strategy = arms.strategy(name, digits(8), 100, 0, settings)
    for _ in range(8):
        strategy.begin()
        strategy.buffer.add(torch.zeros(100, 3, 8, 8), torch.arange(100) % 10)
    return strategy


def _products(strategy):
    """Of all steps after a part, from one of them, and of an answer with all samples of a task."""
    steps, strategy.steps = strategy.steps, 1
    with FlopCounterMode(display=False) as training:
        strategy.see(torch.zeros(10, 3, 8, 8), torch.arange(10))
    with FlopCounterMode(display=False) as adapting:
        strategy.after(torch.zeros(SIZES[-1], 3, 8, 8), torch.arange(SIZES[-1]) % 10)
    return steps * training.get_total_flops() + adapting.get_total_flops()


def row(arm, seed, needed, level=0.5, stream=arms.HALF):
    """A row whose later tasks have the accuracy `level` on average, with every number of samples."""
    return {"stream": stream, "arm": arm, "seed": seed, "median": needed,
            "arriving": [[level - 0.1] * 8, [level + 0.1] * 8], "before": [[0.1 * seed], [0.2, 0.3]]}


def test_ratios_are_geometric_and_paired():
    rows = [row(FTML, 0, 20), row(FTML, 1, 40), row(TUNED, 0, 80), row(TUNED, 1, 80), row(FTML, CHOOSING, None)]
    found = results.ratio(rows, arms.HALF, FTML, TUNED)
    assert found.mean == pytest.approx(math.sqrt(0.25 * 0.5))
    assert found.low * found.high == pytest.approx(found.mean ** 2)
    assert found.low < 0.25 < 0.5 < found.high
    back = results.ratio(rows, arms.HALF, TUNED, FTML)
    assert back.mean == pytest.approx(1 / found.mean) and back.low == pytest.approx(1 / found.high)


def test_what_never_passed_makes_a_ratio_a_bound_or_none():
    rows = [row(FTML, 0, 20), row(FTML, 1, 40), row(TUNED, 0, None), row(TUNED, 1, 100)]
    assert results.ratio(rows, arms.HALF, FTML, TUNED).mean == pytest.approx(math.sqrt(20 / SIZES[-1] * 40 / 100))
    assert results.ratio(rows, arms.HALF, TUNED, FTML) is None


def test_accuracies_are_those_of_the_later_tasks():
    rows = [row(FTML, 0, 20, 0.9), row(FTML, 1, 20, 0.8), row(TUNED, 0, 20, 0.7), row(TUNED, 1, 20, 0.6)]
    assert results.mean_accuracy(rows, arms.HALF, FTML, 40).mean == pytest.approx(85)
    assert tuple(results.apart(rows, arms.HALF, FTML, TUNED)) == pytest.approx((20, 0), abs=1e-9)
    assert results.area(rows[0]) == pytest.approx(90)
    assert results.round_by_task(rows, arms.HALF, FTML, "before") == [[pytest.approx(0.05)], [pytest.approx(0.2),
                                                                                              pytest.approx(0.3)]]
