"""The adversarial weight: its film against the library's own training, over every control."""

import copy

import numpy as np
import pytest
import torch
from tiny import patterns

from mlcourse import small
from mlcourse.domains import shift_domain
from mlcourse.domains.distances import proxy_a_distance
from mlcourse.episode.across import DomainSampler, halves, pixels
from mlcourse.learners import CORAL, DANN, AdaBN
from mlcourse.lessons.l13_adaptation.widget_adversarial_weight import DRAWN, SIZE, SPLITS, WEIGHTS, AdversarialWeight
from mlcourse.train import train
from mlcourse.widgets import sweep

STEPS, EVERY = 4, 2


@pytest.fixture(scope="module")
def worlds():
    source = patterns(0, classes=10, per_class=20)
    target = shift_domain(patterns(0, classes=10, per_class=90), "contrast", 0.6)
    with pytest.MonkeyPatch.context() as patched:
        for name, value in {"SOURCE_STEPS": 10, "WIDTH": 8, "KNOWN": 150, "UNLABELED": 140}.items():
            patched.setattr(small, name, value)
        yield small.source_network(source), source, *halves(target)


@pytest.fixture(scope="module")
def explorer(worlds):
    return AdversarialWeight(*worlds, steps=STEPS, every=EVERY)


@pytest.mark.parametrize("method, kind, weight", [("DANN", DANN, 0.3), ("CORAL", CORAL, 10.0), ("DANN", AdaBN, 0.0)])
def test_a_film_is_the_librarys_own_training(explorer, worlds, method, kind, weight):
    base, source, _, test = worlds
    explorer.set(method=method, weight=weight, shifted=True, at=2)
    film = explorer.record.film
    seen, q = explorer.targets[True]
    learner = kind(copy.deepcopy(base.net), *([weight] if weight else []))
    train(learner, learner.phases(DomainSampler([source], 3, 1, unlabeled=3, target=seen), STEPS, tasks=1, lr=1e-3),
          progress=False)
    views = small.views(learner.net, small.known(source), pixels(test.images), pixels(seen.images))
    right = (views.logits.argmax(1) == test.labels).double()
    want = sum(float(q[c]) * float(right[test.labels == c].mean()) for c in range(10))
    assert film.steps.tolist() == [0, 2, 4] and film.accuracy[2] == pytest.approx(want, abs=0.01)
    target = small.views(learner.net, small.known(source), pixels(seen.images), pixels(seen.images)).target
    pad = proxy_a_distance(views.source, target, 0, SPLITS, SIZE)
    assert film.pad[2].value == pytest.approx(pad.value, abs=0.1)
    assert film.predicted[2].sum() == pytest.approx(1) and film.shares.tolist() == pytest.approx(q.tolist())


def test_the_base_network_and_the_first_frame_stay(explorer, worlds):
    base, source, _, test = worlds
    before = copy.deepcopy(base.state_dict())
    films = [explorer.compute(method="DANN", weight=weight, shifted=False, at=0).film for weight in (0.3, 100.0)]
    assert all(torch.equal(before[name], p) for name, p in base.state_dict().items())
    assert np.array_equal(films[0].source_z[0], films[1].source_z[0]) and films[0].accuracy[0] == films[1].accuracy[0]
    assert not np.array_equal(films[0].source_z[2], films[1].source_z[2])
    logits = small.views(base.net, small.known(source), pixels(test.images), None).logits
    want = float((logits.argmax(1) == test.labels).double().mean())
    assert films[0].unadapted == pytest.approx(want, abs=0.01)


def test_the_embedding_stays_where_it_is_and_labels_fit_the_pictures(explorer, worlds):
    base, source, *_ = worlds
    film = explorer.compute(method="CORAL", weight=1.0, shifted=False, at=0).film
    z = small.views(base.net, small.known(source), small.known(source), None).source[:DRAWN]
    assert film.source_z[0] == pytest.approx(((z - explorer.centre) @ explorer.axes.T).numpy(), abs=1e-4)
    order = torch.randperm(len(source.images), generator=torch.Generator().manual_seed(0))[:DRAWN]
    assert np.array_equal(film.source_labels, source.labels[order].numpy())
    assert torch.allclose(explorer.axes @ explorer.axes.T, torch.eye(2), atol=1e-5)
    shifted = explorer.compute(method="CORAL", weight=1.0, shifted=True, at=0).film
    assert np.isin(shifted.target_labels, (1, 4, 7)).mean() > 0.8


def test_a_setting_is_trained_once_and_weight_0_is_one_setting(explorer, monkeypatch):
    explorer.set(method="DANN", weight=0.0, shifted=False, at=1)
    explorer.set(method="CORAL", weight=10.0, shifted=True, at=1)
    monkeypatch.setattr(explorer, "film", lambda *_: pytest.fail("trained again"))
    explorer.set(method="CORAL", weight=0.0, shifted=False, at=2)
    assert explorer.headline(explorer.record).startswith("No alignment, λ = 0, step 4")
    explorer.set(weight=10.0, shifted=True)
    assert explorer.error is None and "under label shift" in explorer.headline(explorer.record)
    explorer.set(at=0)
    assert explorer.headline(explorer.record).startswith("Before the training under label shift")


def test_every_control_can_be_swept_and_moves_the_picture(explorer):
    explorer.set(method="DANN", weight=0.3, shifted=False, at=2)
    pictures = {}
    for name, _, record in sweep(explorer):
        assert np.isfinite(record.film.source_z).all() and bytes(explorer.picture.value).startswith(b"\x89PNG")
        pictures.setdefault(name, set()).add(explorer.picture.value)
    assert set(pictures) == {"method", "weight", "shifted", "at"} and all(len(seen) > 1 for seen in pictures.values())
    assert explorer.bar.value == STEPS and [w for _, w in explorer.controls["weight"].options] == list(WEIGHTS)


def test_words_follow_the_record(explorer):
    explorer.set(method="DANN", weight=0.3, shifted=True, at=2)
    record = explorer.record
    film = record.film._replace(accuracy=np.array([0.5, 0.5, 0.3]))
    assert "accuracy ≈50 % (AdaBN) → ≈30 %" in explorer.headline(record._replace(film=film))
    said = explorer.describe(record)
    assert f"over {SPLITS} splits" in said and "lie 0.6 from uniform ones" in said
    assert "uniform" not in explorer.describe(record._replace(shifted=False))
