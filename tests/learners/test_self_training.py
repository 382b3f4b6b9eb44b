"""Self-training: the loss picture by picture, which pictures count, and what happens where none is sure."""

import warnings

import pytest
import torch
import torch.nn.functional as F

from mlcourse.episode.across import DomainSampler, pixels
from mlcourse.learners import AdaBN, SelfTraining
from mlcourse.nets import Conv4
from mlcourse.train import train
from layer_by_layer import by_hand
from tiny import SIDE, patterns

WAY = 3
TARGET = patterns(2, classes=WAY)
SAMPLER = DomainSampler([patterns(0, classes=WAY)], 2, 2, unlabeled=3, target=TARGET)
PICTURES = pixels(TARGET.images)


def episode():
    return SAMPLER.sample(1, torch.Generator().manual_seed(0)).to(torch.float64).task(0)


def small(dtype=torch.float64, sharp=1.0, **settings):
    """sharp: times the head, which makes the predictions surer."""
    net = Conv4(WAY, 4, "stride", "batch", SIDE, seed=3)
    with torch.no_grad():
        net.head.weight.mul_(sharp)
    return SelfTraining(net, **settings).to(dtype)


def predictions(learner, x):
    return by_hand(learner.net, dict(learner.net.named_parameters()), x)[1].softmax(-1)


def slow_loss(learner, e, cut):
    source = F.cross_entropy(by_hand(learner.net, dict(learner.net.named_parameters()), e.support_x)[1], e.support_y)
    terms, p = [], predictions(learner, e.unlabeled_x)
    for row in p:
        y = max(range(WAY), key=lambda k: float(row[k].detach()))
        terms.append(-torch.log(row[y]) if row[y] >= cut else 0 * row[y])
    return source + learner.weight * sum(terms) / len(terms)


@pytest.mark.parametrize("sharp", [1.0, 8.0])
def test_the_loss_and_its_gradient_are_those_of_the_sure_pictures(sharp):
    learner, e = small(sharp=sharp, threshold=0.6, weight=0.7), episode()
    sure = predictions(learner, e.unlabeled_x).amax(1).detach()
    own = min(0.6, float(sure.max()))
    some = float(sure.sort().values[4])
    for cut, given in ((own, None), (some, torch.tensor(some, dtype=torch.float64))):
        count = int((sure >= cut).sum())
        assert 0 < count < len(sure)
        ours, slow = learner.loss(e, given), slow_loss(learner, e, cut)
        torch.testing.assert_close(ours, slow)
        theta = list(learner.net.parameters())
        for g, w in zip(torch.autograd.grad(ours, theta), torch.autograd.grad(slow, theta), strict=True):
            torch.testing.assert_close(g, w)


def test_where_no_picture_of_an_episode_is_sure_its_surest_alone_counts():
    learner, e = small(threshold=0.99), episode()
    p = predictions(learner, e.unlabeled_x).amax(1)
    assert p.max() < 0.99
    torch.testing.assert_close(learner.loss(e), AdaBN(learner.net).loss(e) - p.max().log() / len(p))


def test_labels_of_the_target_do_not_enter_and_those_of_the_source_do():
    learner, e = small(), episode()
    assert torch.equal(learner.loss(e), learner.loss(e._replace(query_x=0 * e.query_x, query_y=0 * e.query_y)))
    assert not torch.equal(learner.loss(e), learner.loss(e._replace(support_y=(e.support_y + 1) % WAY)))


def test_the_threshold_falls_back_to_the_surest_tenth_with_a_sentence_and_comes_back():
    learner = small(torch.float32, threshold=0.99)
    p = predictions(learner, PICTURES).amax(1)
    with pytest.warns(UserWarning, match=r"no prediction on the 36 pictures of the target is as sure as 0\.99, so the "
                                         r"surest tenth counts, from 0\.\d\d on; train longer on the source first"):
        learner.renew(0, PICTURES)
    assert int((p >= learner.cut).sum()) == 4
    with torch.no_grad():
        learner.net.head.weight.mul_(100)
    before = learner.cut.clone()
    learner.renew(learner.refresh + 1, PICTURES)                # not yet
    assert torch.equal(learner.cut, before)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        learner.renew(2 * learner.refresh, PICTURES)
    assert float(learner.cut) == pytest.approx(0.99)


def test_a_phase_keeps_the_threshold_of_all_pictures(monkeypatch):
    learner, found = small(torch.float32, sharp=50.0, refresh=2), []
    loss = SelfTraining.loss
    monkeypatch.setattr(SelfTraining, "loss", lambda self, e, cut=None: found.append(cut) or loss(self, e, cut))
    train(learner, learner.phases(SAMPLER, 3, pictures=PICTURES), progress=False)
    assert len(found) >= 3 and all(cut is learner.cut for cut in found)


def test_settings_that_are_refused():
    for bad in (0, 1, 1.5):
        with pytest.raises(ValueError, match=f"threshold is a probability between 0 and 1, got {bad}"):
            small(threshold=bad)
    with pytest.raises(ValueError, match="weight of the pseudo-labels must be a positive, finite number, got 0"):
        small(weight=0)
    with pytest.raises(ValueError, match="refresh must be at least 1, got 0"):
        small(refresh=0)
