"""The factor dial against counting in large samples, and over every corner of its controls."""

import numpy as np
import pytest
import torch

from mlcourse.datasets import factors
from mlcourse.domains.distances import proxy_a_distance
from mlcourse.lessons.l01_domains.widget_factor_dial import CHANGES, SAMPLE, SPLITS, FactorDial
from mlcourse.system.machine import one_core
from mlcourse.widgets import sweep


@pytest.fixture(autouse=True)
def quick():
    with one_core():
        yield


@pytest.fixture(scope="module")
def dial():
    return FactorDial()


@pytest.mark.parametrize("kind", factors.KINDS)
def test_accuracies_match_counting(dial, kind):
    dial.set(kind=kind, severity=0.6)
    record = dial.record
    x, y = factors.draw(kind, 0.6, 100_000, seed=77)
    assert record.accuracy == pytest.approx(float((dial.line(x) == y).double().mean()), abs=0.015)
    best = (factors.log_odds(kind, 0.6, x) > 0).long()
    assert record.best == pytest.approx(float((best == y).double().mean()), abs=0.015)
    assert record.accuracy == record.accuracy_curve[6] and record.best == record.best_curve[6]
    assert (record.accuracy_curve <= record.best_curve).all()


def test_pad_and_points_are_those_of_the_worlds(dial):
    dial.set(kind=factors.LABEL, severity=0.9)
    x, y = factors.draw(factors.LABEL, 0.9, SAMPLE, seed=3)
    assert np.array_equal(dial.record.x, x.numpy()) and np.array_equal(dial.record.y, y.numpy())
    assert dial.record.pad == proxy_a_distance(dial.home[0], x, size=SAMPLE, splits=SPLITS)


def test_the_line_drawn_is_the_line_that_answers(dial):
    (x0, y0), (x1, y1) = dial.record.line
    for share in (0.2, 0.5, 0.8):
        on = np.array([x0 + share * (x1 - x0), y0 + share * (y1 - y0)])
        pair = torch.tensor(np.stack([on + [0, 0.01], on - [0, 0.01]])).float()
        assert dial.line(pair).tolist() == [1, 0]


def test_the_three_kinds_tell_their_story(dial):
    """What the lesson says: same distance, other loss; no distance, large loss; a gap that opens from both sides."""
    at = lambda kind, severity: dial.compute(kind=kind, severity=severity)
    left, right = at(factors.LEFT, 1.0), at(factors.RIGHT, 1.0)
    assert left.pad.value > 1.8 and right.pad.value > 1.8
    assert left.accuracy > left.accuracy_curve[0] - 0.02 and right.accuracy < 0.5
    for severity in (0.0, 0.5, 1.0):
        concept = at(factors.CONCEPT, severity)
        assert concept.pad.low < 0 < concept.pad.high
    assert at(factors.CONCEPT, 1.0).accuracy < 0.4
    label = at(factors.LABEL, 1.0)
    assert label.best_curve[10] - label.best_curve[0] > 0.06 and label.accuracy_curve[0] - label.accuracy > 0.06


def test_every_control_can_be_swept_and_moves_the_picture():
    explorer = FactorDial(kind=factors.RIGHT)
    pictures = {}
    for name, _, record in sweep(explorer):
        assert np.isfinite(record.x).all() and record.kind in CHANGES
        assert bytes(explorer.picture.value).startswith(b"\x89PNG")
        pictures.setdefault(name, set()).add(explorer.picture.value)
    assert set(pictures) == {"kind", "severity"} and all(len(seen) > 1 for seen in pictures.values())


def test_the_words_say_what_stays(dial):
    dial.set(kind=factors.CONCEPT, severity=1.0)
    assert "P(y | x) changes, P(x) stays" in dial.alt and "Concept shift, severity 1.0" in dial.alt
    dial.set(kind=factors.CONCEPT, severity=0.0)
    assert "Nothing changes." in dial.alt and "stays" not in dial.alt


def test_curves_over_seeds_are_drawn_where_there_are_rows():
    severities = [i / 10 for i in range(11)]
    rows = [{"kind": kind, "seed": seed, "severity": severities, "pad": [0.1 * seed] * 11}
            for kind in factors.KINDS for seed in range(3)]
    explorer = FactorDial(rows=rows)
    assert explorer.error is None and explorer.record.curves["pad"].mean.tolist() == pytest.approx([0.1] * 11)
    assert explorer.scene.pad.curve.get_visible() and not FactorDial().scene.pad.curve.get_visible()
