"""Domain: what it refuses and its oracles; the proxy A-distance and MMD against loops, and their floors."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from mlcourse.domains import Domain, deal, distances, mmd, proxy_a_distance, proxy_a_floor, shift_domain


def generator(seed):
    return torch.Generator().manual_seed(seed)


def toy(classes=4, per_class=3, size=5, seed=0):
    m = classes * per_class
    return Domain("toy", torch.randint(0, 256, (m, 1, size, size), dtype=torch.uint8, generator=generator(seed)),
                  torch.arange(classes).repeat_interleave(per_class)[torch.randperm(m, generator=generator(seed))],
                  tuple(f"c{i}" for i in range(classes)), tuple(f"g{i // 2}" for i in range(classes)))


def one_hot(*words):
    """The words over the letters a, b as sequences of three places; a blank is a place without a letter."""
    rows = [[[255 * (letter == each) for each in "ab"] for letter in word.ljust(3)] for word in words]
    return torch.tensor(rows, dtype=torch.uint8)


# Domain


@pytest.mark.parametrize("change, sentence", [
    ({"images": torch.zeros(4, 1, 5, 5)}, r"toy: images must be uint8 .* or \(M, 3, H, W\), got torch.float32"),
    ({"images": torch.zeros(4, 5, 5, dtype=torch.uint8)}, r"got torch.uint8 of shape \(4, 5, 5\); convert them first"),
    ({"images": torch.zeros(4, 2, 5, 5, dtype=torch.uint8)}, r"of shape \(4, 2, 5, 5\)"),
    ({"images": torch.full((4, 5, 5), 255, dtype=torch.uint8)}, r"\(of sequences they are one-hot, \(M, L, A\)\)"),
    ({"images": one_hot("ab", "a", "a b", "b")}, "of sequences they are one-hot"),
    ({"images": one_hot("ab", "a", "", "b")}, "of sequences they are one-hot"),
    ({"images": one_hot("ab", "a", "ab", "b") // 2}, "of sequences they are one-hot"),
    ({"labels": torch.tensor([0, 1, 1])}, r"labels must be int64 of shape \(4,\), got torch.int64 of shape \(3,\)"),
    ({"labels": torch.tensor([0., 1., 1., 0.])}, r"labels must be int64 of shape \(4,\), got torch.float32"),
    ({"labels": np.array([0, 1, 1, 0])}, "labels must be a torch tensor, got ndarray; torch.as_tensor makes one"),
    ({"images": [[0]]}, "images must be a torch tensor, got list; torch.as_tensor makes one"),
    ({"labels": torch.tensor([0, 1, 2, 0])}, r"labels must lie in 0..1 for 2 classes, got 0..2"),
    ({"labels": torch.tensor([0, 1, -1, 0])}, r"labels must lie in 0..1 for 2 classes, got -1..1"),
    ({"groups": ("g",)}, "every class needs a group, got 1 groups for 2 classes"),
    ({"classes": ("a", "a")}, "class names must differ, but 'a' stands twice"),
])
def test_a_domain_refuses_what_does_not_fit(change, sentence):
    fields = {"name": "toy", "images": torch.zeros(4, 1, 5, 5, dtype=torch.uint8), "labels": torch.tensor([0, 1, 1, 0]),
              "classes": ("a", "b"), "groups": ("g", "g")}
    assert Domain(**fields).classes == ("a", "b")
    with pytest.raises(ValueError, match=sentence):
        Domain(**fields | change)


def test_a_domain_may_be_empty():
    domain = Domain("none", torch.zeros(0, 1, 5, 5, dtype=torch.uint8), torch.zeros(0, dtype=torch.int64), (), ())
    assert len(domain.images) == 0


def test_sequences_are_a_domain_but_have_no_shift_and_no_turns():
    domain = Domain("spoken", one_hot("ab", "a", "bab", "b"), torch.tensor([0, 1, 1, 0]), ("x", "y"), ("g", "h"))
    assert domain.sequences and not toy().sequences and len(set(domain.digests.tolist())) == 4
    assert domain.subset([1]).images.equal(one_hot("a", "bab")) and domain.subset([1]).groups == ("h",)
    shifted = lambda: shift_domain(domain, "noise", 0.5)
    for refused, what in ((shifted, "the shift noise is"), (domain.with_rotations, "turns are")):
        with pytest.raises(ValueError, match=f"spoken holds sequences, and {what} for pictures; leave it out"):
            refused()


@given(order=st.permutations(range(4)), keep=st.integers(0, 4))
@settings(max_examples=25, deadline=None)
def test_a_subset_relabels_in_the_order_given(order, keep):
    domain, chosen = toy(), list(order[:keep])
    part = domain.subset(chosen)
    assert part.classes == tuple(domain.classes[i] for i in chosen)
    assert part.groups == tuple(domain.groups[i] for i in chosen)
    assert part.name == "toy" and domain.subset(chosen, name="part").name == "part"
    assert len(part.images) == 3 * keep
    for new, old in enumerate(chosen):
        assert torch.equal(part.images[part.labels == new], domain.images[domain.labels == old])


def test_rotations_are_classes_of_their_own():
    domain = toy()
    turned = domain.with_rotations()
    assert len(turned.classes) == 16 and len(turned.images) == 48
    assert turned.classes[:4] == domain.classes
    assert turned.groups == domain.groups * 4
    for label, (name, group) in enumerate(zip(turned.classes, turned.groups)):
        k, old = divmod(label, 4)
        assert name == (f"c{old} turned {90 * k}" if k else f"c{old}") and group == domain.groups[old]
        got, pictures = turned.images[turned.labels == label], domain.images[domain.labels == old]
        for a, b in zip(got, pictures):
            assert np.array_equal(a[0].numpy(), np.rot90(b[0].numpy(), k))


# The proxy A-distance


def gaussians(m, d, seed, mean=0.0):
    return torch.randn(m, d, generator=generator(seed)) + mean


def test_pad_of_identical_domains_is_exactly_zero():
    for a in (gaussians(60, 8, 0), toy(6, 10), torch.zeros(40, 3)):
        assert proxy_a_distance(a, a) == (0.0, 0.0, 0.0)


def test_pad_of_two_samples_of_one_distribution_is_about_zero():
    values = [proxy_a_distance(gaussians(300, 20, s), gaussians(300, 20, 100 + s), seed=s, splits=4).value
              for s in range(12)]
    assert abs(np.mean(values)) < 0.06
    assert min(values) < 0 < max(values)


def test_pad_is_two_where_domains_are_apart_and_matches_the_bayes_error_between():
    assert proxy_a_distance(gaussians(200, 5, 0), gaussians(200, 5, 1, mean=9.0)).value == 2
    pad = proxy_a_distance(gaussians(3000, 4, 0), gaussians(2500, 4, 1, mean=0.5), size=2000)
    bayes = 0.5 * math.erfc(0.5 / math.sqrt(2))       # the means are 1 apart: err = Phi(-1/2)
    assert pad.value == pytest.approx(2 * (1 - 2 * bayes), abs=0.06)
    assert pad.low < pad.value < pad.high


def test_pad_on_one_split_matches_the_definition():
    a, b = gaussians(40, 3, 0).double(), gaussians(40, 3, 1, mean=0.7).double()
    got = proxy_a_distance(a, b, seed=4, splits=2)
    rng = np.random.default_rng(4)
    drawn = rng.permutation(40)
    a, b = a[drawn].numpy(), b[drawn].numpy()
    pooled = np.concatenate([a, b])
    pooled = pooled - pooled.mean(0)
    u, scale, _ = np.linalg.svd(pooled, full_matrices=False)
    white = u * math.sqrt(len(pooled))                # rotated, each component of variance 1
    scores = []
    for _ in range(2):
        order = rng.permutation(40)
        train, test = order[:20], order[20:]
        model = LogisticRegression().fit(np.concatenate([white[train], white[40 + train]]), [0] * 20 + [1] * 20)
        wrong = sum(model.predict(white[test]) != 0) + sum(model.predict(white[40 + test]) != 1)
        scores.append(2 * (1 - 2 * wrong / 40))
    assert got.value == pytest.approx(np.mean(scores))
    half = 12.7062 * np.std(scores, ddof=1) * math.sqrt(1 / 2 + 1)
    assert got.high - got.value == pytest.approx(half, rel=1e-4)


def test_copies_in_another_order_would_fall_below_zero_so_rows_stay_together():
    a = gaussians(120, 30, 0)
    copies = a + 1e-3 * gaussians(120, 30, 1)
    assert proxy_a_distance(a, copies.flip(0)).value < -0.1
    assert abs(proxy_a_distance(a, copies).value) < 0.05


def drawings(classes, per_class, seed=0):
    """Features in clusters: `per_class` drawings of each of many characters."""
    characters = gaussians(classes, 30, seed).repeat_interleave(per_class, 0)
    return characters + 0.1 * gaussians(classes * per_class, 30, seed + 1)


def test_the_floor_is_zero_although_drawings_of_a_character_stand_in_all_parts():
    values = [proxy_a_floor(drawings(25, 20, seed=7 * s), seed=s, splits=4).value for s in range(12)]
    assert abs(np.mean(values)) < 0.05
    assert min(values) < 0 < max(values)
    floor = proxy_a_floor(drawings(25, 20))
    assert floor.low < 0 < floor.high


def test_pad_is_repeatable_and_takes_domains_images_and_features():
    a, b = toy(6, 10), shift_domain(toy(6, 10), "contrast", 1.0)
    pad = proxy_a_distance(a, b, seed=3)
    assert pad == proxy_a_distance(a.images, b.images, seed=3)
    assert pad == proxy_a_distance(a.images.flatten(1).double() / 255, b.images.flatten(1).double() / 255, seed=3)
    assert pad != proxy_a_distance(a, b, seed=4)
    assert pad.value > 1
    assert proxy_a_distance(b, a, seed=3).value == pytest.approx(pad.value, abs=0.1)


# MMD


def slow_mmd(x, y, bandwidth):
    """Gretton et al. 2012, equation 3, as it is written."""
    k = lambda u, v: math.exp(-sum((p - q) ** 2 for p, q in zip(u, v)) / (2 * bandwidth ** 2))
    x, y = x.tolist(), y.tolist()
    m, n = len(x), len(y)
    return (sum(k(x[i], x[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
            + sum(k(y[i], y[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
            - 2 * sum(k(u, v) for u in x for v in y) / (m * n))


@given(seed=st.integers(0, 10**6), m=st.integers(10, 14), n=st.integers(10, 14), d=st.integers(1, 4))
@settings(max_examples=10, deadline=None)
def test_mmd_matches_the_loop_with_the_median_bandwidth(seed, m, n, d):
    a, b = gaussians(m, d, seed).double(), gaussians(n, d, seed + 1, mean=0.5).double()
    got = mmd(a, b, permutations=3)
    squares = sorted(float((u - v).square().sum()) for i, u in enumerate(torch.cat([a, b]))
                     for v in torch.cat([a, b])[i + 1:])
    assert got.bandwidth == pytest.approx(math.sqrt(squares[(len(squares) - 1) // 2]))
    assert got.value == pytest.approx(slow_mmd(a, b, got.bandwidth), abs=1e-10)
    assert mmd(a, b, bandwidth=0.7).value == pytest.approx(slow_mmd(a, b, 0.7), abs=1e-10)


def test_mmd_floor_and_p_match_a_loop_over_permutations():
    a, b = gaussians(12, 2, 0).double(), gaussians(15, 2, 1, mean=0.8).double()
    got = mmd(a, b, seed=6, permutations=20, bandwidth=1.0)
    rng = np.random.default_rng(6)
    x = torch.cat([a[rng.permutation(12)], b[rng.permutation(15)]])
    values = [slow_mmd(x[:12], x[12:], 1.0)]
    for _ in range(20):
        order = rng.permutation(27)
        values.append(slow_mmd(x[order[:12]], x[order[12:]], 1.0))
    assert got.floor == pytest.approx(np.quantile(values[1:], 0.95), abs=1e-10)
    assert got.p == pytest.approx(np.mean(np.array(values) >= values[0] - 1e-12))


def test_mmd_tells_domains_apart_and_finds_nothing_within_one():
    apart = mmd(gaussians(100, 3, 0), gaussians(100, 3, 1, mean=1.0))
    assert apart.value > apart.floor and apart.p == pytest.approx(1 / 201)
    nothing = [mmd(gaussians(80, 3, s), gaussians(80, 3, 50 + s), seed=s, permutations=100) for s in range(15)]
    assert sum(n.p <= 0.05 for n in nothing) <= 4
    assert abs(np.mean([n.value for n in nothing])) < 0.005
    assert mmd(torch.ones(20, 3), torch.ones(30, 3)).value == 0
    assert mmd(toy(6, 10), toy(6, 10), seed=1).p > 0.9


def test_distances_leave_the_global_generators_alone():
    before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()
    a, b = gaussians(30, 3, 0), gaussians(30, 3, 1)
    proxy_a_distance(a, b), proxy_a_floor(a), mmd(a, b)
    assert torch.equal(torch.get_rng_state(), before)
    assert np.array_equal(np.random.get_state()[1], numpy_before)


@pytest.mark.parametrize("distance", [proxy_a_distance, mmd])
def test_distances_refuse_what_they_cannot_compare(distance):
    good = gaussians(20, 3, 0)
    for a, b, sentence in (
        (good, gaussians(20, 4, 0), "both domains need rows of one size, got 3 and 4 values per row"),
        (good[:9], good, "at least 10 rows of each domain, got 9 and 20"),
        (good, good.clone().fill_(float("nan")), "finite features, but there are NaN or infinite values"),
        (good, torch.zeros(5), r"needs images \(M, 1, H, W\) or features \(M, d\), got shape \(5,\)"),
        (good, torch.zeros(0, 3), r"got shape \(0, 3\)"),
    ):
        with pytest.raises(ValueError, match=sentence):
            distance(a, b)


def test_other_arguments_out_of_range():
    a = gaussians(20, 3, 0)
    with pytest.raises(ValueError, match="at least 2 splits, got 1"):
        proxy_a_distance(a, a, splits=1)
    with pytest.raises(ValueError, match="at least 2 splits, got 0"):
        proxy_a_floor(a, splits=0)
    with pytest.raises(ValueError, match="at least 20 rows, got 19"):
        proxy_a_floor(a[:19])
    for call in (lambda size: proxy_a_distance(a, a, size=size), lambda size: proxy_a_floor(a, size=size),
                 lambda size: mmd(a, a, size=size)):
        with pytest.raises(ValueError, match="size must be at least 10, got 1"):
            call(1)
    with pytest.raises(ValueError, match="permutations must be at least 1, got 0"):
        mmd(a, a, permutations=0)
    for bandwidth in (0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="bandwidth must be positive and finite, got"):
            mmd(a, a, bandwidth=bandwidth)


def test_components_have_unit_variance_and_drop_what_is_constant():
    x = gaussians(200, 3, 0).double() @ gaussians(3, 6, 1).double() + 5
    white = distances.components(x)
    assert white.shape == (200, 3)
    assert np.allclose(white.T @ white / 200, np.eye(3))
    assert distances.components(gaussians(300, 70, 0).double()).shape == (300, 50)


# Dealing


def test_dealt_parts_share_no_image_and_hold_their_shares():
    domain = toy(classes=5, per_class=20)
    parts = deal(domain, (0.5, 0.25, 0.2), seed=3)
    assert [len(part.images) for part in parts] == [50, 25, 20]
    rows = [tuple(image.flatten().tolist()) for part in parts for image in part.images]
    assert len(set(rows)) == len(rows)
    label_of = {tuple(image.flatten().tolist()): int(label) for image, label in zip(domain.images, domain.labels)}
    assert [label_of[row] for row in rows] == torch.cat([part.labels for part in parts]).tolist()
    assert all((part.name, part.classes, part.groups) == (domain.name, domain.classes, domain.groups) for part in parts)
    again, other = deal(domain, (0.5,), seed=3)[0], deal(domain, (0.5,), seed=4)[0]
    assert torch.equal(parts[0].images, again.images) and not torch.equal(again.images, other.images)
    assert len(deal(domain, (0.3, 0.7))[1].images) == 70


@pytest.mark.parametrize("shares", [(), (0.5, 0.6), (0.0, 0.5), (-0.1,)])
def test_shares_that_cannot_be_dealt(shares):
    with pytest.raises(ValueError, match="shares must be positive and add up to at most 1"):
        deal(toy(), shares)
