"""The explorers of lesson 13: a training against one written out here, its way of giving way, and BBSE's dial."""

import asyncio
import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from tiny import patterns

from mlcourse import small
from mlcourse.domains import shift_domain
from mlcourse.domains.distances import proxy_a_distance
from mlcourse.episode.across import DomainSampler, halves, pixels
from mlcourse.lessons.l13_adaptation import live, study_label_shift
from mlcourse.lessons.l13_adaptation.explorers import AlignmentWeight, Crossing, LabelShiftDial
from mlcourse.lessons.l13_adaptation.widget_alignment import SIZE, SPLITS
from mlcourse.nets import LeNet
from mlcourse.studies.transfer.source import parted, trained
from mlcourse.train import step_generator
from mlcourse.widgets import sweep

STEPS, EVERY = 4, 2


@pytest.fixture(scope="module")
def worlds():
    source = patterns(0, classes=10, per_class=30, side=16)
    target = shift_domain(patterns(0, classes=10, per_class=90, side=16), "contrast", 0.6)
    with pytest.MonkeyPatch.context() as patched:
        for name, value in {"KNOWN": 150, "UNLABELED": 140}.items():
            patched.setattr(small, name, value)
        nets = [trained(LeNet(10, 4, norm, 16), source, 10, 0) for norm in ("batch", "layer")]
        yield *nets, source, *halves(target)


def made(worlds):
    return AlignmentWeight(*worlds, steps=STEPS, every=EVERY)


@pytest.fixture(scope="module")
def explorer(worlds):
    return made(worlds)


def covariance(z):
    return torch.cov(z.T)


def by_hand(net, sampler, weight):
    """The network after STEPS steps of CORAL, and each domain under the statistics of its batch."""
    net = copy.deepcopy(net)
    optimiser = torch.optim.Adam(net.parameters(), 1e-3)
    for step in range(STEPS):
        episode = sampler.sample(1, step_generator(0, 0, step)).task(0)
        a, b = net.features(episode.support_x), net.features(episode.unlabeled_x)
        gap = (covariance(a) - covariance(b)).square().sum() / (4 * a.shape[1] ** 2)
        optimiser.zero_grad()
        (F.cross_entropy(net.head(a), episode.support_y) + weight * gap).backward()
        optimiser.step()
    return net


@pytest.mark.parametrize("weight, shifted", [(1.0, False), (100.0, True), (0.0, True)])
def test_a_training_is_that_of_corals_loss(explorer, worlds, weight, shifted):
    base, plain, source, train, test = worlds
    explorer.set(weight=weight, shifted=shifted)
    record, (seen, q, *_) = explorer.record, explorer.targets[shifted]
    net = by_hand(base, DomainSampler([source], 3, 1, unlabeled=3, target=seen), weight)
    views = small.views(net, small.known(source), pixels(test.images), pixels(seen.images))
    right = (views.logits.argmax(1) == test.labels).double()
    share = lambda c: float(right[test.labels == c].mean())
    assert [frame.step for frame in record.frames] == [0, 2, 4]
    assert record.frames[-1].accuracy == pytest.approx(sum(float(q[c]) * share(c) for c in range(10)), abs=0.02)
    target = small.views(net, small.known(source), pixels(seen.images), pixels(seen.images)).target
    assert record.frames[-1].pad == pytest.approx(proxy_a_distance(views.source, target, 0, SPLITS, SIZE).value,
                                                  abs=0.15)
    assert record.frames[-1].variance == pytest.approx(float(views.source.var(0).sum()), rel=0.02)
    assert np.allclose(record.frames[-1].source, covariance(views.source[:, explorer.chosen]), rtol=0.05, atol=1e-2)
    assert record.frames[-1].predicted.sum() == pytest.approx(1) and record.shares.tolist() == pytest.approx(q.tolist())
    with torch.no_grad():
        says = plain(pixels(test.images)).argmax(1)
    of_class = [float((says == test.labels)[test.labels == c].double().mean()) for c in range(10)]
    assert record.unadapted == pytest.approx(float(q @ torch.tensor(of_class).double()), abs=0.01)


def test_the_given_networks_stay_and_a_setting_is_trained_once(explorer, worlds):
    before = copy.deepcopy(worlds[0].state_dict())
    explorer.set(weight=10.0, shifted=False)
    last = explorer.record.frames[-1]
    explorer.set(weight=0.1)
    explorer.set(weight=10.0)
    assert explorer.record.frames[-1] is last and explorer.record.others
    assert all(torch.equal(before[name], p) for name, p in worlds[0].state_dict().items())


async def ended(explorer):
    while explorer.job.running:
        await asyncio.sleep(0.01)


def test_a_newer_setting_stops_the_training_before_and_coming_back_goes_on(worlds):
    async def drive():
        explorer = made(worlds)
        explorer.controls["weight"].value = 10.0
        assert [frame.step for frame in explorer.record.frames] == [0]
        assert "step 0" in explorer.headline(explorer.record)
        explorer.controls["weight"].value = 100.0
        await ended(explorer)
        assert not explorer.training(10.0, False).done
        assert explorer.training(100.0, False).done and explorer.record.frames[-1].step == STEPS
        explorer.controls["weight"].value = 10.0
        await ended(explorer)
        assert explorer.training(10.0, False).done and explorer.bar.value == STEPS
        return explorer

    explorer, at_once = asyncio.run(drive()), made(worlds)
    at_once.set(weight=10.0)
    assert explorer.record.frames[-1].accuracy == at_once.record.frames[-1].accuracy


def test_every_control_of_the_alignment_can_be_swept(explorer):
    for _, _, record in sweep(explorer):
        assert record.frames[-1].step == STEPS


def test_a_training_descends_the_loss_that_it_is_given(worlds):
    asked = []

    def loss(net, x, y, t, weight):
        asked.append((len(x), len(y), len(t), weight))
        return 0 * net(x).sum()

    first, *_, last = AlignmentWeight(*worlds, loss, steps=STEPS, every=EVERY).record.frames
    assert asked == [(30, 30, 30, 1.0)] * STEPS and last.accuracy == first.accuracy


def test_the_caption_tells_the_features_shown_from_all(explorer, worlds):
    d = worlds[0].size
    assert f"the source's {d} features" in explorer.describe(explorer.record)
    assert f"{len(explorer.chosen)} of {d} features" in [text.get_text()[:len(f"24 of {d} features")]
                                                         for text in explorer.scene.figure.texts]


def test_the_caption_speaks_of_shares_only_where_they_shift(explorer):
    for shifted in (False, True):
        explorer.set(weight=1.0, shifted=shifted)
        assert ("shares: labels 0.6, answers" in explorer.describe(explorer.record)) == shifted


# ---------------------------------------------------------------- the label-shift dial


@pytest.fixture(scope="module")
def dial(worlds):
    batch, plain, source, train, test = worlds
    return LabelShiftDial({"layer": Crossing(plain, source, train, test),
                           "batch": Crossing(batch, source, train, test)})


@pytest.mark.parametrize("distance", [0.0, 0.6])
def test_the_dial_solves_for_the_shares(dial, worlds, distance):
    _, plain, source, train, test = worlds
    dial.set(crossing="layer", distance=distance)
    record, q = dial.record, small.proportions(10, (1, 4, 7), distance)
    held, _ = parted(source, 0)
    with torch.no_grad():
        answers = lambda domain: plain(pixels(domain.images)).argmax(1)
        seen = small.drawn(train, q, 140, 0)
        joint, r = np.zeros((10, 10)), np.bincount(answers(seen), minlength=10) / len(seen.images)
        for said, label in zip(answers(held), held.labels, strict=True):
            joint[said, label] += 1 / len(held.labels)
        w = np.linalg.pinv(joint) @ r
        w = np.maximum(w, 0) / (np.maximum(w, 0) @ joint.sum(0))
        logits = plain(pixels(test.images)).double()
    assert record.estimate == pytest.approx(w * joint.sum(0), abs=1e-6) and record.said == pytest.approx(r)
    assert record.true == pytest.approx(q.numpy()) and record.estimate.sum() == pytest.approx(1)
    says = (logits + torch.from_numpy(np.log(np.maximum(w, 1e-9)))).argmax(1)
    right = [float((says == test.labels)[test.labels == c].double().mean()) for c in range(10)]
    assert record.accuracies[1] == pytest.approx(float(np.array(right) @ q.numpy()), abs=1e-6)
    present = np.bincount(held.labels, minlength=10) > 0
    assert record.at_home.sum(0) == pytest.approx(present.astype(float))
    assert record.away.sum(0) == pytest.approx(np.ones(10))


def test_the_confusion_is_of_the_pictures_that_are_given_for_it(worlds):
    _, plain, source, train, test = worlds
    held = source.take(torch.arange(0, len(source.images), 3))
    record = LabelShiftDial({"layer": Crossing(plain, source, train, test, held)}).record
    with torch.no_grad():
        said = plain(pixels(held.images)).argmax(1)
    for c in range(10):
        assert record.at_home[:, c] == pytest.approx(np.bincount(said[held.labels == c], minlength=10)
                                                     / int((held.labels == c).sum()))


def test_what_is_held_back_is_redrawn_without_another_picture(worlds, monkeypatch):
    source, draws = worlds[2], 3
    apart = live.held_back(source, draws).images.view(draws, -1, 1, 16, 16)
    assert all(not torch.equal(apart[0], other) for other in apart[1:])
    monkeypatch.setattr(study_label_shift, "FAINT", ())
    again, back = live.held_back(source, draws), parted(live.faint_print(source).source, 0)[0]
    assert torch.equal(again.images, back.images.repeat(draws, 1, 1, 1))
    assert again.labels.tolist() == back.labels.tolist() * draws


def test_the_dial_works_with_any_function_of_the_learner(worlds):
    _, plain, source, train, test = worlds
    flat = LabelShiftDial({"layer": Crossing(plain, source, train, test)}, lambda s, y, t, n: [1.0] * n)
    assert flat.record.accuracies[0] == flat.record.accuracies[1]
    broken = LabelShiftDial({"layer": Crossing(plain, source, train, test)}, lambda s, y, t, n: 1 / 0)
    assert isinstance(broken.error, ZeroDivisionError)


def test_every_control_of_the_dial_can_be_swept(dial):
    assert {record.name for _, _, record in sweep(dial)} == {"layer", "batch"}
