"""Episodes across domains: what lies in support, queries and unlabelled pictures, and what is never mixed."""

from dataclasses import replace

import pytest
import torch

from mlcourse.domains import Domain
from mlcourse.episode.across import (DomainSampler, halves, matching, pixels, pooled, pseudo_domains,
                                     shared_classes)

NAMES = ("a", "b", "c")


def marked(code, per_class=12, names=NAMES):
    """A domain whose every picture says where it is from: pixel 0 the domain, 1 the class, 2 the number."""
    images = torch.zeros(len(names) * per_class, 1, 4, 4, dtype=torch.uint8)
    labels = torch.arange(len(names)).repeat_interleave(per_class)
    images[:, 0, 0, 0] = code
    images[:, 0, 0, 1] = labels.to(torch.uint8)
    images[:, 0, 0, 2] = torch.arange(len(images)).to(torch.uint8)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(code))
    return Domain(f"world {code}", images[order], labels[order], names, names)


def marks(x):
    """(domain, class, number) of every picture, int64 (M, 3)."""
    return (x.flatten(0, -4)[:, 0, 0, :3] * 255).round().long()


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def test_support_and_queries_come_from_different_sources():
    sampler = DomainSampler([marked(1), marked(2), marked(3)], 2, 3, unlabeled=2)
    batch = sampler.sample(200, gen())
    pairs = set()
    for t in range(200):
        episode = batch.task(t)
        support, query, unlabeled = map(marks, (episode.support_x, episode.query_x, episode.unlabeled_x))
        assert len(support) == 6 and len(query) == 9 and len(unlabeled) == 6
        i, j = int(support[0, 0]), int(query[0, 0])
        assert (support[:, 0] == i).all() and (query[:, 0] == j).all() and (unlabeled[:, 0] == j).all() and i != j
        assert int(episode.domain) == j - 1                        # the index of the queries' source
        assert torch.equal(support[:, 1], episode.support_y) and torch.equal(query[:, 1], episode.query_y)
        used = query[:, 2].tolist() + unlabeled[:, 2].tolist()
        assert len(set(used)) == len(used) and len(set(support[:, 2].tolist())) == 6
        assert torch.bincount(episode.support_y).tolist() == [2] * 3
        assert torch.bincount(episode.query_y).tolist() == [3] * 3
        pairs.add((i, j))
    assert pairs == {(i, j) for i in (1, 2, 3) for j in (1, 2, 3) if i != j}


def test_one_source_gives_both_and_shares_no_picture():
    batch = DomainSampler([marked(1)], 2, 3).sample(50, gen())
    for t in range(50):
        numbers = [marks(x)[:, 2].tolist() for x in (batch.support_x[t], batch.query_x[t])]
        assert not set(numbers[0]) & set(numbers[1])
    assert batch.unlabeled_x.shape == (50, 0, 1, 4, 4)


def test_unlabelled_pictures_are_the_targets_and_follow_its_class_proportions():
    target = marked(9, per_class=40).take(torch.nonzero(marked(9, per_class=40).labels != 1)[:, 0])
    batch = DomainSampler([marked(1), marked(2)], 1, 1, unlabeled=4, target=target).sample(300, gen())
    seen = marks(batch.unlabeled_x)
    assert batch.unlabeled_x.shape[1] == 12 and (seen[:, 0] == 9).all()
    share = torch.bincount(seen[:, 1], minlength=3) / len(seen)
    assert share[1] == 0 and abs(float(share[0]) - 0.5) < 0.03      # drawn regardless of class: b never, a and c alike
    for x in (batch.support_x, batch.query_x):
        assert (marks(x)[:, 0] < 9).all()


def test_labels_mean_the_same_class_and_a_state_gives_the_same_episodes():
    sampler = DomainSampler([marked(1), marked(2)], 1, 2, unlabeled=1, target=marked(9))
    one, other = sampler.sample(5, gen(3)), sampler.sample(5, gen(3))
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
    assert (one.classes == torch.arange(3)).all() and sampler.way == 3


def test_sources_that_differ_in_their_classes_are_refused():
    with pytest.raises(ValueError, match="world 2 and world 1 differ in their classes; restrict both"):
        DomainSampler([marked(1), marked(2, names=("a", "c", "b"))], 1, 1)
    with pytest.raises(ValueError, match="needs 13 samples of every class"):
        DomainSampler([marked(1)], 7, 6)


def test_shared_classes_go_by_name_and_follow_the_first():
    one, other = shared_classes(marked(1, names=("b", "a", "x")), marked(2, names=("a", "c", "b")))
    assert one.classes == other.classes == ("b", "a")
    assert torch.equal(marks(pixels(other.images))[:, 1], torch.tensor([2, 0])[other.labels])
    assert shared_classes(marked(1), marked(2, names=("x", "y")))[0].classes == ()


def test_classes_match_however_they_are_typed_and_what_is_left_out_is_named():
    one = marked(1, names=("café", "cat", "dog", "fox"))
    other = marked(2, names=("Cat", "owl ", "cafe\u0301", "dog "))
    matched = shared_classes(one, other)
    assert matched[0].classes == matched[1].classes == ("café", "cat", "dog")
    assert torch.equal(marks(pixels(matched[1].images))[:, 1], torch.tensor([2, 0, 3])[matched[1].labels])
    DomainSampler(matched, 1, 1)
    assert matching(one, other) == ("Left out, for they are not in all: 'fox' of world 1; 'owl ' of world 2. Taken for the "
                                    "same class: 'cat' with 'Cat' and 'dog' with 'dog '.")
    assert matching(one) == matching(one, one) == ""
    third = marked(3, names=("CAT", "fox", "owl"))
    assert [domain.classes for domain in shared_classes(one, other, third)] == [("cat",)] * 3
    assert "'café', 'dog' and 'fox' of world 1; 'owl ', 'café' and 'dog ' of world 2" in matching(
        one, replace(other, classes=("Cat", "owl ", "café", "dog ")), third)


def test_many_classes_left_out_are_counted():
    names = tuple(f"class {i}" for i in range(20))
    assert "'class 3', 'class 4', 'class 5', 'class 6', 'class 7' and 12 more of world 1" in matching(
        marked(1, names=names), marked(2, names=names[:3]))


def test_two_classes_that_could_be_the_same_are_refused_by_name():
    with pytest.raises(ValueError, match="'Cat' and 'cat' of world 2 differ only .* is 'CAT' of world 1; rename them"):
        shared_classes(marked(1, names=("CAT", "dog")), marked(2, names=("Cat", "cat", "dog")))


def test_pooled_is_one_after_the_other():
    both = pooled([marked(1), marked(2)])
    assert marks(pixels(both.images))[:, 0].tolist() == [1] * 36 + [2] * 36
    assert torch.equal(marks(pixels(both.images))[:, 1], both.labels) and both.name == "world 1 + world 2"
    alone = marked(1)
    assert pooled([alone]) is alone


def styled(per_class=30):
    """Three classes, and a style, brightness of the lower half, that is independent of the class."""
    labels = torch.arange(3).repeat_interleave(per_class)
    style = torch.rand(len(labels), generator=gen(5))
    images = torch.zeros(len(labels), 1, 4, 4)
    images[:, 0, 0, 0] = labels * 0.4
    images[:, 0, 2:, :] = style[:, None, None]
    images[:, 0, 1, 0] = torch.arange(len(labels)) / 255
    return Domain("styled", (images * 255).round().byte(), labels, NAMES, NAMES), style


def test_pseudo_domains_partition_by_style_within_every_class():
    domain, style = styled()
    parts = pseudo_domains(domain, 3)
    number = [p.images[:, 0, 1, 0].long() for p in parts]
    assert sorted(torch.cat(number).tolist()) == list(range(90))
    for p, mine in zip(parts, number, strict=True):
        assert torch.bincount(p.labels).tolist() == [10] * 3 and torch.equal(p.labels, domain.labels[mine])
        assert p.classes == domain.classes
    for c in range(3):
        ranges = sorted((float(style[mine[p.labels == c]].min()), float(style[mine[p.labels == c]].max()))
                        for p, mine in zip(parts, number, strict=True))
        assert ranges[0][1] <= ranges[1][0] + 0.01 and ranges[1][1] <= ranges[2][0] + 0.01
    assert [p.name for p in parts] == [f"styled/style {i} of 3" for i in (1, 2, 3)]
    again = pseudo_domains(domain, 3)
    assert all(torch.equal(a.images, b.images) for a, b in zip(parts, again, strict=True))


def test_too_few_pictures_for_pseudo_domains():
    with pytest.raises(ValueError, match="world 1 cannot be split into 3 pseudo-domains of at least 5 images of every "
                                         "class: class 'a' has 12; give several sources or more images"):
        pseudo_domains(marked(1), 3, least=5)


def test_halves_share_nothing_and_are_always_the_same():
    domain = marked(1, per_class=13)
    train, test = halves(domain)
    sides = [set(marks(pixels(part.images))[:, 2].tolist()) for part in (train, test)]
    assert not sides[0] & sides[1] and len(sides[0] | sides[1]) == 39 - 3      # 6 + 6 of 13; 'most' in proportion
    assert torch.bincount(train.labels).tolist() == torch.bincount(test.labels).tolist() == [6] * 3
    assert torch.equal(halves(domain)[1].images, test.images)
    assert (train.name, test.name) == ("world 1/train", "world 1/test")


def test_halves_keep_most_pictures_in_proportion_but_at_least_some():
    domain = marked(1, per_class=40).take(torch.nonzero(torch.arange(120) < 120)[:, 0])
    train, test = halves(domain, most=30)
    assert torch.bincount(train.labels).tolist() == torch.bincount(test.labels).tolist() == [10] * 3
    train, test = halves(domain, most=30, least=15)
    assert torch.bincount(train.labels).tolist() == [15] * 3 and torch.bincount(test.labels).tolist() == [10] * 3
    lonely = domain.take(torch.cat([torch.nonzero(domain.labels == 0)[:1, 0], torch.nonzero(domain.labels > 0)[:, 0]]))
    with pytest.raises(ValueError, match="class 'a' of world 1 has 1 image; a training and a test half need"):
        halves(lonely)
