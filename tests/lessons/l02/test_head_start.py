"""The explorer of heads against FineTune's steps, and every corner of its controls."""

import numpy as np
import pytest
import torch
from tiny import patterns

from mlcourse.domains import deal
from mlcourse.episode import Episode
from mlcourse.episode.across import pixels
from mlcourse.learners import FineTune
from mlcourse.lessons.l02_transfer import widget_head_start as widget
from mlcourse.lessons.l02_transfer.sources import network
from mlcourse.lessons.l02_transfer.study_freeze import labelled
from mlcourse.lessons.l02_transfer.widget_head_start import HeadStart, first_head
from mlcourse.system.machine import one_core
from mlcourse.widgets import sweep


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(widget, "STEPS", 8)
    with one_core():
        yield


@pytest.fixture(scope="module")
def digits():
    return deal(patterns(0, 10, 120, 16), (0.5, 0.5))


def test_from_a_head_of_zeros_the_path_is_that_of_fine_tuning(digits):
    explorer = HeadStart(net=network(0, 1), halves=digits, head="zero", labels=2, rate=0.1)
    train, _ = digits
    rows = labelled(train, 2, 0, 0)
    x, y, asked = pixels(train.images[rows]), train.labels[rows], explorer.asked
    learner = FineTune(network(0, 1), lr=0.1, steps=8)
    episode = Episode(x, y, asked, explorer.asked_labels, x[:0], torch.arange(10), torch.tensor(0))
    with torch.no_grad():
        state = learner.adapt(episode)
        right = (learner.predict(state, asked).argmax(1) == explorer.asked_labels).float().mean()
    assert explorer.record.path.accuracy[-1] == pytest.approx(float(right), abs=0.011)
    assert len(explorer.record.path.accuracy) == len(explorer.record.path.moved) == 3


def test_nothing_has_moved_before_the_first_step_and_a_ridge_head_is_ahead_there(digits):
    found = {}
    for head in widget.HEADS:
        path = HeadStart(net=network(0, 1), halves=digits, head=head).record.path
        assert path.moved[0] == 0 < path.moved[-1]
        found[head] = path.accuracy[0]
    assert found["ridge"] > max(found["zero"], found["random"]) + 0.1


def test_a_first_step_from_a_head_of_zeros_leaves_the_features_and_from_a_random_one_does_not(digits, monkeypatch):
    monkeypatch.setattr(widget, "STEPS", 1)
    monkeypatch.setattr(widget, "EVERY", 1)
    zero, random = (HeadStart(net=network(0, 1), halves=digits, head=head).record.path for head in ("zero", "random"))
    assert zero.moved[1] == 0 < random.moved[1]


def test_a_ridge_head_is_that_of_the_regression():
    generator = torch.Generator().manual_seed(0)
    z, y = torch.randn(12, 5, generator=generator), torch.arange(12) % 3
    top = first_head("ridge", z, y, 3)
    weight, bias = widget.ridge(z, torch.nn.functional.one_hot(y, 3).float(), widget.PENALTY)
    assert torch.allclose(top(z), z @ weight + bias, atol=1e-6)
    assert not first_head("zero", z, y, 3)(z).any()


def test_the_source_network_stays_and_a_setting_is_computed_once(digits, monkeypatch):
    net = network(0, 1)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    explorer = HeadStart(net=net, halves=digits)
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    explorer.set(head="zero")
    monkeypatch.setattr(explorer, "path", lambda *_: pytest.fail("computed again"))
    explorer.set(head="random")
    assert explorer.error is None and set(explorer.record.others) == {"zero"}


def test_every_control_can_be_swept_and_moves_the_picture(digits):
    explorer, pictures = HeadStart(net=network(0, 1), halves=digits), {}
    for name, _, record in sweep(explorer):
        assert np.isfinite(record.path.moved).all()
        pictures.setdefault(name, set()).add(explorer.picture.value)
    assert set(pictures) == {"head", "labels", "rate"} and all(len(seen) > 1 for seen in pictures.values())
    assert explorer.headline(explorer.record).startswith("From a random head: right on ≈")
    assert "Seen before: zero ≈" in explorer.describe(explorer.record)


def test_it_is_judged_on_all_digits_though_the_pictures_lie_sorted(digits):
    train, test = digits
    order = test.labels.argsort()
    explorer = HeadStart(net=network(0, 1), halves=(train, test.take(order)))
    assert set(explorer.asked_labels.tolist()) == set(range(10))
