"""Pictures, classes and data sets are known by what they hold, on every machine the same."""

from dataclasses import replace

import pytest
import torch
from tiny import patterns

from mlcourse.domains import deal, shift_domain
from mlcourse.domains.digests import digests
from mlcourse.domains.identity import (changes, class_digests, classes_among, contents, from_text, named, stands_among,
                                       to_text)
from mlcourse.episode.across import pooled
from mlcourse.small import shrunk


def renamed(domain, names):
    return replace(domain, classes=tuple(names), groups=tuple(names))


def test_a_digest_is_the_same_on_every_machine_and_tells_size_and_every_pixel():
    images = torch.arange(32, dtype=torch.uint8).reshape(2, 1, 4, 4)
    assert digests(images).tolist() == [628101672503981705, -8611319297244714492]
    assert digests(images.reshape(2, 1, 2, 8)).tolist() != digests(images).tolist()
    other = images.clone()
    other[0, 0, 3, 3] += 1
    assert (digests(other) != digests(images)).tolist() == [True, False]


def test_a_picture_of_one_colour_tells_nothing():
    blank = patterns(classes=2, per_class=1)
    blank = replace(blank, images=torch.full_like(blank.images, 7))
    assert blank.digests.tolist() == [0, 0]
    assert not stands_among(blank, blank.digests).any() and classes_among(blank, blank.digests, blank.classes) == []


def test_pictures_keep_their_digests_through_every_shift_and_choice():
    domain = patterns()
    known = domain.digests
    shifted = shift_domain(shift_domain(domain, "rotation", 0.5), "noise", 0.3)
    assert not torch.equal(digests(shifted.images), known) and torch.equal(shifted.digests, known)
    for it in (domain, shifted):
        assert torch.equal(it.take(torch.tensor([5, 2])).digests, known[[5, 2]])
        assert torch.equal(it.subset([3, 1]).digests, known[12:48].reshape(3, 12)[[0, 2]].flatten())
        assert torch.equal(it.with_rotations().digests, known.repeat(4))
        assert set(torch.cat([part.digests for part in deal(it, [0.5, 0.5])]).tolist()) == set(known.tolist())
        assert torch.equal(shrunk(it).digests, known)
        assert torch.equal(pooled([it, it]).digests, known.repeat(2))


def test_digests_that_do_not_fit_are_refused_and_those_of_replaced_images_are_their_own():
    with pytest.raises(ValueError, match="patterns 0: originals must be int64, got torch.float32"):
        replace(patterns(), originals=torch.zeros(96))
    small = shrunk(patterns(side=28))
    twice = replace(small, images=torch.cat([small.images] * 2), labels=torch.cat([small.labels] * 2))
    assert twice.originals is None and torch.equal(twice.digests, digests(twice.images))


def test_contents_do_not_depend_on_the_order_and_name_what_changed():
    domain = patterns(classes=3)
    before = contents({"train": domain.subset([0, 1]), "test": domain.subset([2])})
    mixed = domain.take(torch.randperm(36, generator=torch.Generator().manual_seed(0)))
    assert contents({"test": mixed.subset([2]), "train": mixed.subset([1, 0])}) == before
    assert changes(before, before) == changes(None, None) == ""
    assert class_digests(shift_domain(domain, "blur", 1.0)) == class_digests(domain)
    now = lambda d: contents({"train": d.subset([0, 1]), "test": d.subset(range(2, len(d.classes)))})
    assert changes(before, now(patterns(classes=5))).startswith("classes 'class 3' and 'class 4' are added and classes")
    assert changes(now(renamed(domain, "abc")), before) == (
        "classes 'class 0', 'class 1' and 'class 2' are added and classes 'a', 'b' and 'c' are gone")
    fewer = domain.take(torch.arange(35))
    assert changes(before, now(fewer)) == "class 'class 2' is of other pictures"
    assert changes(before, contents({"train": domain.subset([0]), "test": domain.subset([1, 2])})) == (
        "its classes stand in other splits")
    assert changes(None, before) == "what it was started on was not recorded"
    assert changes(before, None) == "it was started on pictures"


def test_names_are_counted_where_they_are_many():
    assert named(["a"]) == "class 'a'" and named(list("abcde")) == "classes 'a', 'b', 'c' and 2 more"


def test_a_class_is_known_by_one_picture_and_by_its_name_within_the_same_source():
    domain = patterns(classes=4)
    known = domain.subset([0, 1]).digests
    assert classes_among(renamed(domain, "wxyz"), known, domain.classes) == ["w", "x"]
    assert classes_among(domain.take(torch.tensor([11, 30])), known, ()) == ["class 0"]
    assert classes_among(domain.take(torch.tensor([11, 30])), known, ("class 0", "class 1", "class 9")) == [
        "class 0", "class 1"]
    assert classes_among(patterns(1, classes=4), known, domain.classes) == []


def test_digests_go_through_text():
    assert from_text(to_text(torch.tensor([5, -1, 5, 2**62]))).tolist() == [-1, 5, 2**62]
    assert from_text(to_text(torch.zeros(0, dtype=torch.int64))).tolist() == []
    for wrong in ("?", "AAAA"):
        with pytest.raises(ValueError):
            from_text(wrong)
