"""The shift dial against a loop over pictures and the distances called by hand; every corner of its controls."""

import numpy as np
import pytest
import torch

from mlcourse.datasets import load
from mlcourse.domains import SHIFTS, deal, shift
from mlcourse.domains.distances import proxy_a_distance
from mlcourse.lessons.l01_domains.widget_shift_dial import DRAWN, SAMPLE, SPLITS, ShiftDial
from mlcourse.nets import Conv4
from mlcourse.system.machine import one_core
from mlcourse.widgets import sweep


@pytest.fixture(autouse=True)
def quick():
    with one_core():
        yield


@pytest.fixture(scope="module")
def parts():
    return deal(load("glyphs-digits"), (0.15, 0.15), seed=3)


@pytest.fixture(scope="module")
def net():
    return Conv4(10, width=8, norm="none", seed=1)


@pytest.fixture(scope="module")
def dial(net, parts):
    return ShiftDial(net, *parts, other=load("digits"))


def row(kind, seed, value):
    severities = [i / 10 for i in range(11)]
    fields = ("accuracy", "pad", "pad_features")
    return {"kind": kind, "seed": seed, "severity": severities} | {field: [value] * 11 for field in fields}


def test_a_point_equals_its_parts_computed_by_hand(dial, net, parts):
    home, away = parts
    dial.set(kind="blur", severity=0.4)
    record = dial.record
    images = shift(away.images, "blur", 0.4)
    with torch.no_grad():
        right = [int(net(image[None].float() / 255).argmax()) == int(label)
                 for image, label in zip(images, away.labels)]
    assert record.point.accuracy == pytest.approx(np.mean(right), abs=1e-6)
    assert record.point.right.tolist() == right[:DRAWN]
    assert record.point.pad == proxy_a_distance(home, images, size=SAMPLE, splits=SPLITS)
    with torch.no_grad():
        z = [net.features(x.float() / 255) for x in (home.images, images)]
    assert record.point.inner == proxy_a_distance(*z, size=SAMPLE, splits=SPLITS)
    assert np.array_equal(record.point.images, images[:, 0].numpy())


def test_the_embedding_is_the_first_two_principal_axes_of_home(dial, net, parts):
    home, away = parts
    dial.set(kind="rotation", severity=0.3)
    with torch.no_grad():
        features = net.features(home.images[:DRAWN].float() / 255).double().numpy()
        moved = net.features(shift(away.images[:DRAWN], "rotation", 0.3).float() / 255).double().numpy()
    centred = features - features.mean(0)
    variance, axes = np.linalg.eigh(np.cov(centred.T))
    for at in (0, 1):
        axis = axes[:, -1 - at]
        sign = np.sign(axis @ dial.axes[at].double().numpy())
        assert np.allclose(dial.record.home_z[:, at], sign * centred @ axis, atol=1e-4)
        assert np.allclose(dial.record.point.z[:, at], sign * (moved - features.mean(0)) @ axis, atol=1e-4)
    assert np.var(dial.record.home_z[:, 0], ddof=1) == pytest.approx(variance[-1], rel=1e-3)


def test_one_picture_of_every_class_is_shown_and_is_the_same_before_and_after(dial, parts):
    away = parts[1]
    dial.set(kind="contrast", severity=0.7)
    assert away.labels[dial.first].tolist() == list(range(10))
    assert np.array_equal(dial.record.shown, shift(away.images, "contrast", 0.7)[dial.first, 0].numpy())


def test_severity_0_is_the_unshifted_pictures(dial, parts):
    dial.set(kind="noise", severity=0.0)
    assert np.array_equal(dial.record.point.images, parts[1].images[:, 0].numpy())
    assert dial.record.point.accuracy == pytest.approx(dial.record.home_accuracy)
    assert "costs nothing" in dial.headline(dial.record)


def test_a_loss_of_less_than_half_a_point_is_not_called_nothing(dial):
    dial.set(kind="noise", severity=0.0)
    home, point = dial.record.home_accuracy, dial.record.point
    cost = lambda lost: dial.headline(dial.record._replace(point=point._replace(accuracy=home - lost / 100)))
    assert cost(0.0).endswith("costs nothing") and cost(-0.3).endswith("costs nothing")
    assert cost(0.3).endswith("costs less than half a point of accuracy")
    assert cost(0.6).endswith("costs ≈1 point of accuracy") and cost(2.4).endswith("costs ≈2 points of accuracy")


def test_a_setting_is_measured_once(dial, monkeypatch):
    dial.set(kind="stroke", severity=0.2)
    monkeypatch.setattr(dial, "_measure", lambda *_: pytest.fail("measured again"))
    dial.set(kind="stroke", severity=0.21)
    dial.set(kind="stroke", severity=0.2)
    assert dial.error is None


def test_every_control_can_be_swept_and_moves_the_picture(net, parts):
    explorer = ShiftDial(net, *parts)
    pictures = {}
    for name, _, record in sweep(explorer):
        assert record.kind in SHIFTS and np.isfinite(record.point.z).all()
        assert bytes(explorer.picture.value).startswith(b"\x89PNG")
        pictures.setdefault(name, set()).add(explorer.picture.value)
    assert set(pictures) == {"kind", "severity"} and all(len(seen) > 1 for seen in pictures.values())


def test_headline_and_words_follow_the_record(dial):
    dial.set(kind="blur", severity=0.5)
    record = dial.record
    point = record.point._replace(accuracy=record.home_accuracy - 0.214)
    assert dial.headline(record._replace(point=point)) == (
        f"Blur 0.5: distance of pixels ≈{point.pad.value:.2f}, and it costs ≈21 points of accuracy")
    said = dial.describe(record)
    assert f"pixels ≈{point.pad.value:.2f}" in said and f"features ≈{point.inner.value:.2f}" in said
    assert "Grey" not in said


def test_curves_over_seeds_are_means_with_their_interval(net, parts):
    rows = [row(kind, seed, value) for kind in SHIFTS for seed, value in enumerate((0.5, 0.7, 0.9))]
    explorer = ShiftDial(net, *parts, rows=rows)
    curve = explorer.record.curves["accuracy"]
    assert explorer.error is None and curve.mean.tolist() == pytest.approx([0.7] * 11)
    assert curve.half.tolist() == pytest.approx([4.3027 * 0.2 / 3**0.5] * 11, rel=1e-4)
    assert "over the seeds of the study" in explorer.alt
    with pytest.raises(ValueError, match="there is no row of 'rotation' among these; run mlcourse study shift"):
        ShiftDial(net, *parts, rows=[row("blur", 0, 1.0)]).compute(kind="rotation", severity=0.3)


def test_what_it_refuses(net, parts):
    home, away = parts
    with pytest.raises(ValueError, match="has 210 pictures of 10 classes; the dial needs at least 400"):
        ShiftDial(net, deal(home, (1 / 3,))[0], away)
    with pytest.raises(ValueError, match="of the classes 0, 1, 2"):
        ShiftDial(net, home, away, other=load("glyphs"))
