"""Frozen features: the same numbers as the slow way, and what does not fit is told."""

import pytest
import torch
import torch.nn.functional as F

from mlcourse.domains import Domain
from mlcourse.episode import EpisodeSampler
from mlcourse.evaluate import scores
from mlcourse.learners import SupCon
from mlcourse.nets import Conv4
from mlcourse.probes import class_rows, embed_all, few_shot, linear_probe, retrieval
from tiny import SIDE, patterns


def clouds(classes=6, per_class=10, spread=0.3, seed=0):
    """Features (M, 4) around a random centre for each class, and their labels, in random order."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(classes * per_class, generator=generator)
    labels = torch.arange(classes).repeat_interleave(per_class)[order]
    centres = torch.randn(classes, 4, generator=generator)
    return centres[labels] + spread * torch.randn(len(labels), 4, generator=generator), labels


def named(labels):
    """A domain with these labels, its pictures blank."""
    names = tuple(f"c{i}" for i in range(int(labels.max()) + 1))
    return Domain("clouds", torch.zeros(len(labels), 1, 4, 4, dtype=torch.uint8), labels, names, names)


def test_few_shot_accuracy_is_that_of_the_learner_on_the_same_episodes():
    domain, learner = patterns(per_class=8), SupCon(Conv4(0, 6, "max", "layer", SIDE))
    sampler, seed = EpisodeSampler(domain, 3, 2, 4), 5
    frozen = few_shot(embed_all(learner.net.features, domain.images), domain, way=3, shot=2, query=4, episodes=25,
                      seed=seed)
    live = scores(learner, sampler, 25, seed=seed)
    assert float(frozen.mean()) == pytest.approx(float(live.mean()), abs=0.12)      # other draws, same features
    indices = sampler.indices(25, torch.Generator().manual_seed(seed))[1]
    for task in range(3):
        support, query = indices[task, :, :2], indices[task, :, 2:].flatten()
        z = F.normalize(learner.net.features(domain.images.float() / 255), dim=-1)
        means = torch.stack([z[rows].mean(0) for rows in support])
        nearest = torch.stack([(q - means).square().sum(1).argmin() for q in z[query]])
        right = (nearest == torch.arange(3).repeat_interleave(4)).float().mean()
        assert float(right) == pytest.approx(float(frozen[task]))


def test_queries_may_have_features_of_their_own():
    z, labels = clouds()
    domain, turned = named(labels), z.flip(1)
    assert few_shot(z, domain, query=5, episodes=50).mean() > 0.7
    assert few_shot(z, domain, query_z=turned, query=5, episodes=50).mean() < 0.6
    with pytest.raises(ValueError, match="has 60 images, but there are 59 and 60 features; embed all"):
        few_shot(z[1:], domain, query_z=z)


def test_embed_all_gives_unit_vectors_in_order_whatever_the_block():
    images = patterns().images
    flat = lambda x: x
    one, two = embed_all(flat, images), embed_all(flat, images, block=7)
    assert torch.equal(one, two) and torch.allclose(one.norm(dim=1), torch.ones(len(images)))
    torch.testing.assert_close(one[5], F.normalize(images[5].float().flatten(), dim=0))


def test_a_probe_tells_linear_classes_apart_and_noise_not_at_all():
    z, labels = clouds(spread=0.05)
    assert linear_probe(z, labels, 5) > 0.9
    noise = torch.randn(600, 4, generator=torch.Generator().manual_seed(3))
    many = torch.arange(6).repeat(100)
    assert linear_probe(noise, many, 50) == pytest.approx(1 / 6, abs=0.08)
    with pytest.raises(ValueError, match="a probe on 10 samples of each class needs more of each"):
        linear_probe(z, labels, 10)


def test_a_probe_is_ridge_regression_on_the_first_samples_of_each_class():
    sklearn = pytest.importorskip("sklearn.linear_model")
    z, labels = clouds(spread=0.8)
    seen, known = torch.zeros(6, dtype=torch.int64), []
    for label in labels.tolist():
        known.append(bool(seen[label] < 4))
        seen[label] += 1
    known = torch.tensor(known)
    x = (z - z[known].mean(0)) / z[known].std(0)
    y = F.one_hot(labels).double()
    ridge = sklearn.Ridge(alpha=0.5 * int(known.sum()) / 4).fit(x[known].double(), y[known])
    right = torch.from_numpy(ridge.predict(x[~known].double())).argmax(1) == labels[~known]
    assert linear_probe(z, labels, 4, 0.5) == pytest.approx(float(right.float().mean()))


def test_retrieval_is_perfect_at_home_and_chance_for_strangers():
    z, labels = clouds(classes=20, spread=0.0)
    z = F.normalize(z, dim=-1)
    assert retrieval(z, z, labels, gallery=10, rounds=5) == (1.0, 1.0)
    other = F.normalize(torch.randn(len(z), 4, generator=torch.Generator().manual_seed(9)), dim=-1)
    forth, back = retrieval(other, other.flip(0), labels, gallery=10, rounds=200)
    assert forth == pytest.approx(0.1, abs=0.05) and back == pytest.approx(0.1, abs=0.05)
    assert retrieval(other, other, labels, gallery=10, rounds=5, same=True) == (1.0, 1.0)
    assert retrieval(other, other, labels, gallery=10, rounds=5)[0] < 0.5          # never the drawing itself
    with pytest.raises(ValueError, match="a gallery of 21 needs as many classes, but there are 20"):
        retrieval(z, z, labels, gallery=21)


def test_retrieval_forth_and_back_differ_where_one_side_is_a_hub():
    """All of a look like b_0: from a one in N is right, from b all are."""
    labels = torch.arange(8).repeat_interleave(2)
    b = F.normalize(torch.eye(8)[labels], dim=-1)
    a = F.normalize(0.4 * torch.eye(8)[labels] + torch.eye(8)[0], dim=-1)
    forth, back = retrieval(a, b, labels, gallery=8, rounds=3)
    assert forth == pytest.approx(1 / 8) and back == pytest.approx(1)


def test_class_rows_list_each_class_and_cut_to_the_smallest():
    labels = torch.tensor([1, 0, 1, 0, 1])
    assert class_rows(labels).tolist() == [[1, 3], [0, 2]]
