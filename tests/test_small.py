"""The small alignment of lesson 13: class proportions, views of two domains, accuracies under other proportions."""

import pytest
import torch
from tiny import patterns

from mlcourse import small
from mlcourse.nets import Conv4, params_of
from mlcourse.small import class_accuracies, drawn, predicted_shares, proportions, shrunk, views


def test_proportions_lie_at_the_distance_that_is_asked_for():
    q = proportions(10, [1, 4, 7], 0.6)
    assert float(q.sum()) == pytest.approx(1) and float((q - 0.1).abs().sum() / 2) == pytest.approx(0.6)
    assert q[[1, 4, 7]].tolist() == pytest.approx([0.3] * 3)
    assert q[[0, 2, 3, 5, 6, 8, 9]].tolist() == pytest.approx([0.1 / 7] * 7)
    assert proportions(4, [0], 0.0).tolist() == [0.25] * 4
    assert float(proportions(4, [0], 0.75)[1]) == pytest.approx(0)
    for bad in (-0.1, 0.71):
        with pytest.raises(ValueError, match=r"lies in \[0, 0.7\], got"):
            proportions(10, [1, 4, 7], bad)


def test_drawn_keeps_the_proportions_and_repeats():
    domain = patterns(0, classes=4, per_class=20)
    q = torch.tensor([0.5, 0.3, 0.2, 0.0]).double()
    one, again = drawn(domain, q, 20, 1), drawn(domain, q, 20, 1)
    assert torch.bincount(one.labels, minlength=4).tolist() == [10, 6, 4, 0]
    assert torch.equal(one.images, again.images) and not torch.equal(one.images, drawn(domain, q, 20, 2).images)
    assert len(torch.unique(one.images.flatten(1), dim=0)) == 20                     # no picture twice
    with pytest.raises(ValueError, match="class 'class 0' of patterns 0 has 20 pictures, but 25 are asked for"):
        drawn(domain, q, 50)


def test_shrunk_averages_and_keeps_the_rest():
    domain = patterns(0, classes=3, side=32)
    shown = shrunk(domain)
    assert shown.images.shape[2:] == (16, 16) and torch.equal(shown.labels, domain.labels)
    mean = domain.images.float().unfold(2, 2, 2).unfold(3, 2, 2).mean((-1, -2))
    assert (shown.images.float() - mean).abs().max() <= 0.5


def test_views_use_the_statistics_that_are_asked_for():
    net = Conv4(3, 4, "max", "batch", 16, seed=1)
    source, target = torch.rand(2, 9, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    params = params_of(net)
    with torch.no_grad():
        own, theirs = net.statistics(source), net.statistics(target)
        alone, adapted = views(net, source, target, None), views(net, source, target, target)
        for seen, stats in ((alone, own), (adapted, theirs)):
            torch.testing.assert_close(seen.source, net.features(source, own))
            torch.testing.assert_close(seen.target, net.features(target, stats))
            torch.testing.assert_close(seen.logits, net(target, stats))
        doubled = {name: 2 * p for name, p in params.items()}
        torch.testing.assert_close(views(net, source, target, target, doubled).logits,
                                   torch.func.functional_call(net, doubled, (target, tuple(
                                       (m, v) for m, v in small.statistics(net, doubled, target)))))


def test_accuracies_and_shares_by_counting():
    labels = torch.tensor([0, 0, 0, 0, 1, 1, 2])
    said = torch.tensor([0, 0, 1, 2, 1, 0, 2])
    logits = torch.nn.functional.one_hot(said, 3).float()
    assert class_accuracies(logits, labels).tolist() == [0.5, 0.5, 1.0]
    assert class_accuracies(logits[:4], labels[:4]).isnan().tolist() == [False, True, True]
    q = torch.tensor([0.2, 0.2, 0.6]).double()
    assert predicted_shares(logits, labels, q).tolist() == pytest.approx([0.2 * 0.5 + 0.2 * 0.5, 0.2 * 0.25 + 0.2 * 0.5,
                                                                          0.2 * 0.25 + 0.6])
    own = torch.bincount(labels).double() / 7
    assert predicted_shares(logits, labels, own).tolist() == pytest.approx((torch.bincount(said).double() / 7).tolist())


def test_known_pictures_are_drawn_and_repeat():
    domain = patterns(0, classes=3, side=16)
    one = small.known(domain, 1, 20)
    assert one.shape == (20, 1, 16, 16) and torch.equal(one, small.known(domain, 1, 20))
    assert small.known(domain, 1).shape == (36, 1, 16, 16) and not torch.equal(one, small.known(domain, 2, 20))
