"""The source networks, the dull fix and the criterion of the transfer study, and what each of its seeds splits anew."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from tiny import patterns
from transfer_pair import QUICK, pair

from mlcourse.datasets import load
from mlcourse.datasets.glyphs import typefaces
from mlcourse.domains import shift_domain
from mlcourse.episode.across import pixels
from mlcourse.nets import LeNet
from mlcourse.studies.transfer import arms, criterion, ink, source
from mlcourse.studies.transfer.seed import Seed
from mlcourse.studies.transfer.streams import in_streams

# -------------------------------------------------------------- the source network


def test_the_weights_with_the_least_loss_on_held_back_pictures_stay(monkeypatch):
    domain = patterns(0, classes=3, per_class=40)
    losses, nets = iter([9.0, 3.0, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 0.5]), []

    def measured(net, held):
        nets.append({name: p.clone() for name, p in net.state_dict().items()})
        return next(losses)

    monkeypatch.setattr(source, "held_loss", measured)
    monkeypatch.setattr(source, "EVERY", 2)
    net = source.trained(LeNet(3, 4, "layer", 16), domain, 1000, seed=0)
    assert len(nets) == 8, "five measurements in a row without a smaller loss end it"
    assert all(torch.equal(p, nets[2][name]) for name, p in net.state_dict().items())


def test_the_held_back_pictures_are_never_trained_on(monkeypatch):
    domain, held, seen = patterns(0, classes=3, per_class=40), [], []
    kept = source.held_loss
    monkeypatch.setattr(source, "held_loss", lambda net, part: (held.append(part), kept(net, part))[1])
    monkeypatch.setattr(source, "pixels", lambda images: (seen.append(images), pixels(images))[1])
    source.trained(LeNet(3, 4, "layer", 16), domain, 3, seed=0)
    known = lambda images: {image.numpy().tobytes() for image in images}
    assert len(held[0].images) == 12
    batches = [images for images in seen if len(images) == source.BATCH]
    assert len(batches) == 3 and not known(held[0].images) & known(torch.cat(batches))


def test_the_source_network_learns_and_sees_no_target():
    s = Seed(pair((0,)), 0, {}, replace(QUICK, source=150))
    with torch.no_grad():
        right = s.plain(pixels(s.setting.source.images)).argmax(1) == s.setting.source.labels
    assert right.float().mean() > 0.9
    blank = Seed(replace(s.setting, train=replace(s.setting.train, images=0 * s.setting.train.images)), 0, {}, s.budget)
    assert all(torch.equal(p, q) for p, q in zip(s.plain.parameters(), blank.plain.parameters(), strict=True))


# ------------------------------------------------------------------- the dull fix


@pytest.mark.parametrize("settings", [(0.0, 0.0), (0.5, 0.0), (1.0, 0.25), (0.25, 0.75)])
def test_the_ink_of_the_target_is_found_again(settings):
    digits = load("glyphs-digits").first(30)
    target = ink.drawn(digits, *settings)
    assert ink.nearest(digits, replace(target, labels=target.labels.flip(0))) == settings
    assert torch.equal(ink.in_the_ink_of(target, digits).images, target.images)


def test_the_pen_is_what_its_sentence_says():
    image = torch.zeros(1, 1, 4, 4, dtype=torch.uint8)
    image[0, 0, 1:3, 1:3] = 255
    expected = np.array([4 / 16, (4 / 12 + 4 / 12) / (4 / 16)])        # 4 of 12 steps each way go from 0 to 1 or back
    assert np.allclose(ink.pen(image).numpy(), expected)


# ------------------------------------------------------------------ the criterion


def test_the_weights_with_the_highest_score_stay_and_four_scores_without_a_higher_end_it():
    s = Seed(pair((0,)), 0, {}, QUICK)
    learner = arms.AdaBN(s.copied())
    values = iter([0.1, 0.5, 0.2, 0.3, 0.1, 0.4])
    watch = criterion.UntilNoBetter(learner, lambda _: next(values))
    for step in range(1000):
        with torch.no_grad():
            learner.net.head.bias.fill_(step)
        if step == 149:
            with pytest.raises(criterion.Enough):
                watch({"step": step})
            break
        watch({"step": step})
    assert watch.best["net.head.bias"][0] == 49


def test_the_scores_are_what_their_sentences_say():
    """By the network's own forward: the information of its predictions, and minus its loss on what is held back."""
    s = Seed(pair((0,)), 0, {}, QUICK)
    x = s.episode.unlabeled_x[0]
    p = s.base.net(x).softmax(1).detach().double()
    entropy = lambda q: float(-(q * q.log()).sum())
    held = s.setting.source.first(20)
    with torch.no_grad():
        found = s.informative(s.base)
        loss = float(F.cross_entropy(s.base.net(pixels(held.images)), held.labels))
    assert found == pytest.approx(entropy(p.mean(0)) - sum(map(entropy, p)) / len(p), abs=1e-4)
    assert criterion.right_at_home(held)(s.base) == pytest.approx(-loss, abs=1e-6)


def test_mldg_trains_on_no_picture_that_is_held_back(monkeypatch):
    """The tenth is the one on which the source network was judged."""
    s, judged, parts = Seed(pair((0,), per_class=60), 0, {}, QUICK), [], []
    kept, across = source.held_loss, arms.across
    monkeypatch.setattr(criterion, "held_loss", lambda net, held: (judged.append(held), kept(net, held))[1])
    monkeypatch.setattr(arms, "across", lambda s, learner, domains, *more: (parts.extend(domains),
                                                                              across(s, learner, domains, *more)))
    monkeypatch.setattr(criterion, "EVERY", 1)
    arms.generalising(s)
    known = lambda domain: set(domain.digests.tolist())
    held = known(source.parted(s.setting.source, 0)[0])
    assert judged and all(known(each) == held for each in judged)
    assert len(parts) > 1 and not held & set().union(*map(known, parts))
    assert set().union(held, *map(known, parts)) == known(s.setting.source)


def test_what_is_held_back_leaves_the_sources_but_for_a_source_too_small():
    s = pair((0,), per_class=60)
    held = s.source.first(3)
    left = s.without(held).source
    assert not set(held.digests.tolist()) & set(left.digests.tolist())
    assert len(left.images) == len(s.source.images) - len(held.images)
    small = pair((0,), per_class=8)
    assert small.without(small.source.first(3)) is small and small.without(small.source) is small


# ------------------------------------------------------------- splits and domains


def test_every_seed_cuts_the_target_in_its_own_way():
    s = pair((0, 2))
    first, second = s.of_seed(0), s.of_seed(1)
    assert first is s and second.fingerprint() != s.fingerprint()
    both = lambda one: {image.numpy().tobytes() for image in torch.cat([one.train.images, one.test.images])}
    assert both(first) == both(second) and len(second.test.images) == len(s.test.images)
    known = {image.numpy().tobytes() for image in second.train.images}
    assert not known & {image.numpy().tobytes() for image in second.test.images}
    assert torch.equal(s.of_seed(1).test.images, second.test.images)


def test_typeset_digits_fall_into_their_real_typefaces_whatever_they_went_through():
    digits = load("glyphs-digits").first(60)
    for domain in (digits, shift_domain(digits, "blur", 0.5)):
        parts = typefaces(domain)
        assert sum(len(part.images) for part in parts) == len(domain.images) and len(parts) > 1
        assert len({part.name for part in parts}) == len(parts)
    bold = load("glyphs-digits/STIX Bold")
    two = replace(bold, images=torch.cat([bold.images, load("glyphs-digits/STIX").images]),
                  labels=bold.labels.repeat(2), originals=torch.cat([bold.digests, load("glyphs-digits/STIX").digests]))
    assert {part.name for part in typefaces(two, least=3)} == {"glyphs-digits/STIX Bold/STIX Bold",
                                                               "glyphs-digits/STIX Bold/STIX"}
    assert typefaces(bold) == [] and typefaces(patterns(0)) == []


def test_the_streams_are_those_of_the_test_half():
    s = Seed(pair((0,)), 0, {}, QUICK)
    found = in_streams(s.base, s.setting.test, s.seed)
    assert len(found) == 6 and all(0 <= value <= 100 for value in found.values())
    x = pixels(s.setting.test.images)
    rows = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        right = [F.one_hot(s.base.net(part).argmax(1), 3).float() for part in x[rows].tensor_split(max(1, len(x) // 10))]
    labels = F.one_hot(s.setting.test.labels[rows], 3).float()
    assert found["stream small, no steps"] == pytest.approx(100 * float((torch.cat(right) * labels).sum(1).mean()), abs=1e-3)
