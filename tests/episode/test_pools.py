"""Uneven pools: what shares they have, that nothing else of the episode changes, and what they cannot be made of."""

import pytest
import torch
from tiny import patterns

from mlcourse.domains import Domain
from mlcourse.episode import EpisodeSampler
from mlcourse.episode.pools import UnevenPools, apportioned, dirichlet

WAY, MOST = 3, 7            # of 12 samples of a class, less 2 of the support and 3 queries
EVEN = float("inf")


def numbered(classes=6, per_class=12):
    """Images that say which they are."""
    count = classes * per_class
    names = tuple(map(str, range(classes)))
    return Domain("numbered", torch.arange(count, dtype=torch.uint8).view(-1, 1, 1, 1),
                  torch.arange(classes).repeat_interleave(per_class), names, names)


def drawn(concentration, distractors=2, tasks=40, seed=0, domain=None):
    sampler = UnevenPools(domain or numbered(), WAY, 2, 3, unlabeled=4, distractors=distractors,
                          concentration=concentration)
    return sampler.sample(tasks, torch.Generator().manual_seed(seed))


def classes_of(x):
    return (255 * x).round().long().flatten(1) // 12


def counts(batch):
    """How many unlabelled samples of each class of its episode there are (T, N), and how many of others (T,)."""
    own = classes_of(batch.unlabeled_x)[..., None] == batch.classes[:, None]
    return own.sum(1), (~own.any(-1)).sum(1)


@pytest.mark.parametrize("concentration", [EVEN, 2.0, 0.1])
def test_a_pool_has_one_size_whatever_its_shares_and_shares_no_sample_with_the_rest(concentration):
    batch = drawn(concentration)
    own, others = counts(batch)
    assert batch.unlabeled_x.shape[1] == 20 and (own.sum(1) == 12).all() and (others == 8).all() and own.max() <= MOST
    assert (own == 4).all() == (concentration == EVEN)
    for task in range(batch.tasks):
        everything = torch.cat([x[task].flatten() for x in (batch.support_x, batch.query_x, batch.unlabeled_x)])
        assert len(everything.unique()) == len(everything)


def test_support_and_queries_do_not_depend_on_the_shares():
    even, uneven = drawn(EVEN), drawn(0.2)
    for field in ("support_x", "support_y", "query_x", "query_y", "classes"):
        assert torch.equal(getattr(even, field), getattr(uneven, field))
    assert not torch.equal(even.unlabeled_x.sort(1).values, uneven.unlabeled_x.sort(1).values)


def test_the_smaller_the_concentration_the_larger_the_largest_share():
    largest = [float(counts(drawn(a, tasks=300))[0].amax(1).float().mean()) for a in (EVEN, 5.0, 1.0, 0.2)]
    assert largest[0] == 4 and all(b > a + 0.3 for a, b in zip(largest, largest[1:], strict=False))


def test_no_class_is_favoured_and_the_order_says_nothing():
    batch = drawn(0.5, tasks=2000)
    own, _ = counts(batch)
    mean = own.float().mean(0)
    assert (mean - 4).abs().max() < 4 * float(own.float().std(0).max()) / 2000**0.5
    first = (classes_of(batch.unlabeled_x)[:, 0, None] == batch.classes).any(1).float().mean()
    assert abs(float(first) - 0.6) < 4 * (0.24 / 2000) ** 0.5       # 12 of 20 are of the episode's classes


def test_the_shares_are_those_of_a_dirichlet_distribution():
    """Mean 1/N and variance (N - 1) / N² (N a + 1)."""
    shares = dirichlet(20000, 5, 2.0, torch.Generator().manual_seed(0))
    torch.testing.assert_close(shares.sum(1), torch.ones(20000, dtype=torch.float64))
    assert float((shares.mean(0) - 0.2).abs().max()) < 5e-3
    torch.testing.assert_close(shares.var(0), torch.full((5,), 4 / (25 * 11), dtype=torch.float64), rtol=0.05, atol=0)
    assert torch.equal(dirichlet(2, 4, EVEN, torch.Generator()), torch.full((2, 4), 0.25, dtype=torch.float64))


@pytest.mark.parametrize("shares, total, most, expected", [
    ([0.5, 0.3, 0.2], 10, 10, [5, 3, 2]),
    ([0.46, 0.34, 0.2], 10, 10, [5, 3, 2]),
    ([1.0, 0.0, 0.0], 10, 10, [10, 0, 0]),
    ([1.0, 0.0, 0.0], 10, 6, [6, 2, 2]),        # what it does not have is given by the others
    ([0.8, 0.2, 0.0], 10, 6, [6, 3, 1]),
])
def test_whole_numbers_follow_the_shares_as_far_as_samples_last(shares, total, most, expected):
    assert apportioned(torch.tensor([shares], dtype=torch.float64), total, most).tolist() == [expected]


def test_no_share_rounds_further_than_one_away():
    shares = dirichlet(500, 5, 1.0, torch.Generator().manual_seed(1))
    found = apportioned(shares, 25, 25)
    assert (found.sum(1) == 25).all() and float((found - 25 * shares).abs().max()) < 1


def test_with_all_samples_drawn_the_base_class_draws_the_same_support():
    """Even pools are those of `EpisodeSampler`, in all that matters."""
    base = EpisodeSampler(numbered(), WAY, 2, 3, unlabeled=4, distractors=2).sample(9, torch.Generator().manual_seed(0))
    even = drawn(EVEN, tasks=9)
    assert torch.equal(base.support_x, even.support_x) and torch.equal(base.query_x, even.query_x)
    assert all(torch.equal(a, b) for a, b in zip(counts(base), counts(even), strict=True))


def test_what_cannot_be_drawn_is_told():
    for wrong in (0, -1.0, float("nan")):
        with pytest.raises(ValueError, match=f"the concentration must be positive, got {wrong}; 1 makes all shares"):
            drawn(wrong)
    with pytest.raises(ValueError, match=r"shot 2 \+ query 3 \+ unlabeled 9 needs 14 samples of every class"):
        UnevenPools(patterns(), 3, 2, 3, unlabeled=9)
    with pytest.raises(ValueError, match="3 classes of at most 2 samples hold no 7; ask for fewer"):
        apportioned(torch.ones(1, 3, dtype=torch.float64) / 3, 7, 2)
