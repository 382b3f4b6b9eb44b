"""The freeze ladder against a ridge head on features, and every corner of its controls."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from tiny import patterns

from mlcourse.domains import deal
from mlcourse.learners.baselines import ridge
from mlcourse.lessons.l02_transfer.ladder import LABELS, PENALTY, Ladder, Target, solved
from mlcourse.lessons.l02_transfer.sources import DEPTHS, NONE, at_depth, network
from mlcourse.lessons.l02_transfer.widget_ladder import FreezeLadder
from mlcourse.system.machine import one_core
from mlcourse.widgets import sweep

ROWS = [{"source": "none", "arm": "fine-tuned", "k": k, "seed": seed, "accuracy": 30.0 + k + seed}
        for k in (1, 50) for seed in (0, 1, 1000)]
ROWS += [{"source": "typeset", "arm": "head on 3", "k": k, "seed": 1000, "penalty": penalty, "accuracy": 1.0}
         for k, penalty in ((2, 10.0), (10, 0.5))]


@pytest.fixture(autouse=True)
def quick():
    with one_core():
        yield


@pytest.fixture(scope="module")
def digits():
    return deal(patterns(0, 10, 120, 16), (0.5, 0.5))


@pytest.fixture(scope="module")
def net():
    return network(0, 0)


@pytest.fixture(scope="module")
def ladder(digits, net):
    return Ladder(net, Target(*digits))


@pytest.fixture(scope="module")
def explorer(digits):
    bodies = {"typeset": network(0, 3), "permuted": network(0, 4)}
    return FreezeLadder(ROWS, bodies=bodies, halves=digits)


def test_heads_from_products_are_those_of_ridge_regression_on_features():
    generator = torch.Generator().manual_seed(0)
    z, x = torch.randn(12, 7, generator=generator) + 2, torch.randn(5, 7, generator=generator) + 1
    y = F.one_hot(torch.arange(12) % 3).float()
    weight, bias = ridge(z, y, PENALTY)
    got = solved((z @ z.T)[None], (x @ z.T)[None], y[None])[0]
    torch.testing.assert_close(got, x @ weight + bias, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("depth, k", [(0, 1), (2, 5), (4, 50)])
def test_an_accuracy_is_that_of_heads_solved_one_by_one(ladder, net, depth, k):
    target, right = ladder.target, []
    with torch.no_grad():
        z = at_depth(net, target.x, depth)
    asked = z[len(target.labels):]
    for rows in target.drawn(k):
        weight, bias = ridge(z[rows], F.one_hot(target.labels[rows], 10).float(), PENALTY)
        right.append(((asked @ weight + bias).argmax(1) == target.test_labels).float().mean())
    assert ladder.ridge_accuracy(depth, k) == pytest.approx(float(torch.stack(right).mean()), abs=3e-3)


@pytest.mark.parametrize("k", LABELS)
def test_a_draw_has_k_labels_of_each_class_and_none_that_is_tested(ladder, k):
    target = ladder.target
    for rows in target.drawn(k):
        assert torch.bincount(target.labels[rows]).tolist() == [k] * 10
        assert len(set(rows.tolist())) == 10 * k


def test_labelled_and_tested_pictures_are_other_ones(digits):
    target = Target(*digits)
    seen = {each.numpy().tobytes() for each in target.x[:len(target.labels)]}
    assert not seen & {each.numpy().tobytes() for each in target.x[len(target.labels):]}


def test_the_last_depth_is_what_the_head_of_the_network_reads(digits):
    net = network(10, 1)
    x = digits[0].images[:4].float() / 255
    assert torch.equal(at_depth(net, x, len(DEPTHS) - 1), net.features(x))
    assert torch.equal(at_depth(net, x, 0), x.flatten(1))


def test_every_control_can_be_swept_and_moves_the_picture(explorer):
    pictures = {}
    for name, _, record in sweep(explorer):
        assert np.isfinite(record.depths).all() and record.depths.shape == (5,) and record.labels.shape == (6,)
        pictures.setdefault(name, set()).add(explorer.picture.value)
    assert set(pictures) == {"source", "depth", "labels"} and all(len(seen) > 1 for seen in pictures.values())


def test_the_untrained_network_is_the_other_side_at_the_same_cut(explorer):
    explorer.set(source="permuted", depth=3, labels=10)
    other = explorer.ladder(NONE)
    assert explorer.record.random_depths.tolist() == other.by_depth(10)
    assert explorer.record.random_labels[LABELS.index(10)] == other.ridge_accuracy(3, 10)
    assert explorer.record.pixels[LABELS.index(10)] == explorer.record.depths[0]


def test_headline_and_words_follow_the_record(explorer):
    explorer.set(source="typeset", depth=2, labels=1)
    record = explorer.record._replace(depths=np.array([0.5, 0.6, 0.7, 0.3, 0.2]), random_depths=np.full(5, 0.4))
    assert explorer.headline(record) == ("Typeset, 2 blocks kept, 1 label of a class: right on ≈70 %, ≈20 points more "
                                         "than from pixels")
    assert explorer.headline(record._replace(depth=0)) == "Typeset, pixels alone, 1 label of a class: right on ≈50 %"
    said = explorer.describe(record)
    assert "best cut here: 2 blocks, ≈70 %" in said and "≈40 %" in said and "40 %" in said
    assert "No source" not in explorer.describe(record._replace(scratch=None))


def test_the_studys_rows_bring_lambda_and_the_curve_without_a_source(explorer):
    assert [explorer.ladder("typeset").penalty(*at) for at in ((3, 5), (3, 10), (2, 5))] == [10.0, 0.5, PENALTY]
    assert {k: value.mean for k, value in explorer.scratch.items()} == {1: 31.5, 50: 80.5}
    explorer.set(labels=1)
    assert explorer.record.scratch == 31.5
