"""The explorers of lesson 11 against the learners, and over every corner of their controls."""

import numpy as np
import pytest
import torch
from marks import check_marked
from torch import nn

from mlcourse.learners import ProtoNet, SoftKMeans
from mlcourse.learners.soft_kmeans import relative_distances
from mlcourse.lessons.l11_unlabelled import live, pool, shipped
from mlcourse.lessons.l11_unlabelled.controls import BalancedKMeans, HardPseudoLabels
from mlcourse.lessons.l11_unlabelled.explorers import EVERY, MaskDial, PoolDials, mask_dial, pool_dials
from mlcourse.lessons.l11_unlabelled.pool import ALONE, BALANCED, HARD, MASKED, OWN, SOFT, WAY
from mlcourse.lessons.l11_unlabelled.widget_mask import BY_HAND, THIS
from mlcourse.statistics import interval
from mlcourse.system.machine import one_core
from mlcourse.widgets import sweep


@pytest.fixture(autouse=True)
def quick():
    with one_core():
        yield


@pytest.mark.parametrize("rule, kind", [(ALONE, ProtoNet), (HARD, HardPseudoLabels), (SOFT, SoftKMeans),
                                        (BALANCED, BalancedKMeans)])
def test_rules_are_those_of_the_learners_one_episode_at_a_time(rule, kind):
    found, tasks = pool.prototypes(rule, 5, OWN // WAY), live.tasks(5)
    for i in (0, 7, 100):
        wanted = kind(nn.Identity()).adapt(live.episode(tasks[i])).means
        torch.testing.assert_close(found[i], wanted, atol=2e-2 if rule == BALANCED else 1e-3, rtol=1e-3)


def test_balanced_shares_are_balanced():
    drawn = pool.pools(3, 13)
    total = drawn.u.shape[1] / WAY
    moved = pool.balanced(drawn, rounds=200)
    weights = (moved * (1 + total) - drawn.z) / total       # what the pool adds on average, were all columns equal
    assert torch.isfinite(weights).all()
    torch.testing.assert_close(weights.mean(1), drawn.u.mean(1), atol=1e-3, rtol=1e-3)


def test_a_mask_of_one_is_soft_k_means_and_of_zero_the_labelled_alone():
    drawn = pool.pools(5, 5)
    torch.testing.assert_close(pool.masked(drawn, 1e4, 10.0), pool.soft(drawn))
    torch.testing.assert_close(pool.masked(drawn, -1e4, 10.0), drawn.z)


def test_all_pools_share_queries_and_labelled_drawings_and_hold_what_they_say():
    first = pool.pools(0, 5)
    for others, commonest in ((0, 13), (5, 5), (3, 8)):
        drawn = pool.pools(others, commonest)
        assert torch.equal(drawn.z, first.z) and torch.equal(drawn.q, first.q)
        numbers = torch.bincount(drawn.owner).tolist()
        assert numbers[0] == commonest and sum(numbers[:WAY]) == OWN and numbers[WAY:] == [5] * others
        assert max(numbers[1:WAY]) - min(numbers[1:WAY]) <= 1
        alike = (drawn.u[:, :, None] == drawn.q[:, None]).all(-1)
        assert not alike.any()


def test_the_network_has_not_seen_the_scripts_and_is_that_of_its_card():
    learner, card = shipped.checkpoint.load(shipped.path())
    assert card["training"] == shipped.TRAINING and card["command"] == shipped.COMMAND
    assert learner.net.config["norm"] == "layer"
    alone = interval(pool.right(pool.prototypes(ALONE, 0, 5)))
    assert abs(alone.mean - 100 * card["held_out_accuracy"]) < 2.5


def test_what_to_try_with_the_pool_comes_true():
    right = lambda rule, others, commonest: pool.right(pool.prototypes(rule, others, commonest))
    alone = right(ALONE, 0, 5)
    gains = [interval(right(SOFT, others, 5) - alone) for others in range(6)]
    assert gains[0].low > 1.5 and gains[1].low > 0 and gains[5].low < 0 and gains[5].mean < 0.5
    assert all(one.mean > other.mean - 0.1 for one, other in zip(gains[:-1], gains[1:]))
    assert all(each.low < 0 < each.high for each in gains[3:])      # not told from 0
    assert interval(right(SOFT, 0, 13) - alone).low > 1
    assert interval(right(BALANCED, 0, 5) - right(SOFT, 0, 5)).low > 0
    assert interval(right(BALANCED, 0, 13) - alone).high < -4
    assert interval(right(MASKED, 5, 13) - alone).low > 0.5


def test_what_to_try_with_the_mask_comes_true():
    dial = MaskDial()
    right = lambda name=THIS: dial.record.right[name].mean
    assert abs(right() - right(SOFT)) < 1
    dial.set(threshold=0.5)
    assert dial.record.gain.low > 1 and right() - right(SOFT) > 2 and right(BY_HAND) - right() < 1
    gains = [dial.set(threshold=0.05 * step) or dial.record.gain.mean for step in range(31)]
    good, rest = gains[6:12], gains[:6] + gains[12:]                # 0.3 to 0.55
    assert f"{min(good):.1f} {max(good):.1f}" == "2.7 2.8" and max(rest) < min(good)
    dial.set(threshold=0.0, steepness=100.0)
    assert abs(right() - right(ALONE)) < 1.5
    dial.set(threshold=0.5, steepness=1.0)
    blunt = right()
    dial.set(steepness=10.0)
    assert right() > blunt + 1
    dial.set(others=0)
    assert abs(right() - right(SOFT)) < 0.5


def test_distances_of_the_mask_are_the_librarys():
    dial, drawn = MaskDial(threshold=0.5), pool.pools(5, 5)
    d = relative_distances(drawn.u[3], drawn.z[3])
    torch.testing.assert_close(d.mean(0), torch.ones(WAY))
    assert dial.record.own.sum() == pytest.approx(25) and dial.record.strangers.sum() == pytest.approx(25)
    own, strangers = dial.record.counts
    assert own > 2 * strangers


def test_prototypes_glide():
    explorer = PoolDials()
    explorer.set(others=3, way=0.0)
    start = explorer.record
    np.testing.assert_allclose(start.now, start.labelled)
    assert start.gain.mean == start.gain.half == 0
    explorer.set(way=1.0)
    end = explorer.record.now
    explorer.set(way=0.5)
    np.testing.assert_allclose(explorer.record.now, (start.now + end) / 2, atol=1e-5)


@pytest.mark.parametrize("build", [PoolDials, pool_dials, mask_dial])
def test_every_control_can_be_swept_and_moves_the_picture(build):
    explorer, pictures = build(), {}
    for name, _, _ in sweep(explorer):
        pictures.setdefault(name, set()).add(explorer.picture.value)
    assert set(pictures) == set(explorer.controls) and all(len(seen) > 1 for seen in pictures.values())


def test_a_headline_is_no_wider_than_its_picture():
    worst = [dict(rule=rule, way=way, others=5, commonest=13) for rule in EVERY for way in (0.7, 1)]
    explorers = [(PoolDials(), [{"way": 0.7, "others": 5}]), (MaskDial(), [{"threshold": 0.0, "steepness": 100.0}]),
                 (pool_dials(), worst)]
    for explorer, settings in explorers:
        for each in [{}, *settings]:
            explorer.set(**each)
            written = explorer.scene.figure.text(0.008, 0.9, explorer.headline(explorer.record), fontsize=12.5,
                                                 fontweight="bold")
            assert written.get_window_extent().x1 < explorer.scene.figure.bbox.x1, written.get_text()


@pytest.mark.parametrize("build", [PoolDials, lambda: PoolDials(rules=EVERY), MaskDial])
def test_what_is_said_is_marked(build):
    check_marked(build, {5.0, 10.0, 15.0, 20.0, 25.0})
