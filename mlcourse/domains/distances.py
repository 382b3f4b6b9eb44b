"""How far two domains lie apart: the proxy A-distance and the maximum mean discrepancy, each with its floor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from mlcourse.statistics import resplit_interval


class PAD(NamedTuple):
    """A proxy A-distance: the mean over the splits, and its 95 % interval."""

    value: float
    low: float
    high: float


class MMD(NamedTuple):
    """A squared maximum mean discrepancy, the floor that chance stays below 95 times in 100, and the p value."""

    value: float
    floor: float
    p: float
    bandwidth: float


def proxy_a_distance(a, b, seed: int = 0, splits: int = 10, size: int = 500) -> PAD:
    """The proxy A-distance between two domains: PAD = 2 (1 - 2 err), err a discriminator's held-out error.

    The empirical H-divergence of Ben-David et al. 2010 ("A theory of learning from different domains",
    lemma 2): 0 where the two domains cannot be told apart (err = 1/2), 2 where they can without a mistake.
    The value is not clipped at 0, so that the floor shows as 0 with its noise on both sides.

    a, b: Domains, uint8 images (M, 1, H, W), or features (M, d); at most `size` of each are drawn. `splits`
    times, half of each becomes training data and the other half test data, both balanced. The
    discriminator is the same in every use, or distances could not be compared: logistic regression on the
    first 50 principal components, each scaled to variance 1.

    Where a and b are equally long, row i of both falls into the same half. A picture and its
    shifted copy would otherwise stand in training under one name and in the test under the other, and a
    discriminator that remembers the picture errs more often than by chance: 500 pictures against the
    same 500 in another order give about -0.4. Identical arguments give exactly 0. Arguments of other
    kinds should share no picture; `proxy_a_floor` gives the 0 of one domain.

    The interval is Student's t over the splits, with the correction of Nadeau and Bengio 2003 for splits
    that share data: the variance of a split times (1/splits + test size/training size).

    Raises ValueError under 10 rows, for a size under 10, for fewer than 2 splits, for different row
    sizes and for values that are not finite.
    """
    a, b = _pair(a, b)
    _check(splits, size)
    rng = np.random.default_rng(seed)
    n = min(len(a), len(b), size)
    drawn = rng.permutation(len(a))[:n]
    a, b = a[drawn], b[drawn if len(a) == len(b) else rng.permutation(len(b))[:n]]
    x = components(torch.cat([a, b]))
    half, scores = n // 2, []
    for _ in range(splits):
        order = rng.permutation(n)
        train, test = order[:half], order[half:2 * half]
        scores.append(2 * (1 - 2 * _error(x[:n], x[n:], train, train, test, test)))
    return over_splits(scores)


def proxy_a_floor(a, seed: int = 0, splits: int = 10, size: int = 500) -> PAD:
    """The proxy A-distance of a domain from itself: what `proxy_a_distance` shows where there is no shift.

    In every split the rows are dealt anew, at random and regardless of their classes, into two "domains" of
    at most `size` rows, each with its training and test half. Then the expected error is 1/2, whatever the
    data. Dealing each class evenly would not do: what one half has more of, the other has less of, and the
    error would exceed 1/2.

    a: a Domain, uint8 images (M, 1, H, W) or features (M, d). Returns and raises as `proxy_a_distance`.
    """
    a = pictures_as_rows(a)
    _check(splits, size)
    if len(a) < 20:
        raise ValueError(f"a floor needs at least 20 rows, got {len(a)}")
    rng = np.random.default_rng(seed)
    a = a[rng.permutation(len(a))[:2 * size]]
    x = components(a)
    quarter, scores = len(a) // 4, []
    for _ in range(splits):
        parts = rng.permutation(len(a))[:4 * quarter].reshape(4, quarter)
        scores.append(2 * (1 - 2 * _error(x, x, *parts)))
    return over_splits(scores)


def mmd(a, b, seed: int = 0, permutations: int = 200, size: int = 500, bandwidth: float | None = None) -> MMD:
    """The unbiased squared maximum mean discrepancy with a Gaussian kernel, and what chance would make of it.

    Gretton et al. 2012 ("A kernel two-sample test"), equation 3, with k(x, y) = exp(-|x - y|^2 / (2 bandwidth^2)):
    the mean of k over pairs within a, plus the mean over pairs within b, minus twice the mean over pairs
    across; no row is paired with itself. It may be slightly negative, and is so (about -1/size) where b holds
    copies of the rows of a. bandwidth: None takes the median distance between rows of a and b together, as there.

    floor: the 95 % quantile of the same number when the rows are dealt at random into two such sets,
    `permutations` times; p: the share of permutations, the observed one included, that reach the observed value.

    a, b: Domains, uint8 images (M, 1, H, W) or features (M, d); at most `size` of each are drawn.
    Raises ValueError as `proxy_a_distance` does, for fewer than 1 permutation and for a bandwidth that
    is not positive.
    """
    a, b = _pair(a, b)
    _check(2, size)
    if permutations < 1:
        raise ValueError(f"permutations must be at least 1, got {permutations}")
    if bandwidth is not None and not 0 < bandwidth < math.inf:
        raise ValueError(f"the bandwidth must be positive and finite, got {bandwidth}")
    rng = np.random.default_rng(seed)
    a, b = a[rng.permutation(len(a))[:size]], b[rng.permutation(len(b))[:size]]
    m, n = len(a), len(b)
    x = torch.cat([a, b])
    norms = x.square().sum(1)
    squared = (norms[:, None] + norms - 2 * x @ x.T).clamp_(min=0)
    if bandwidth is None:
        above = torch.ones_like(squared, dtype=torch.bool).triu_(1)
        bandwidth = math.sqrt(squared[above].median()) or 1.0  # every row the same: any bandwidth gives 0
    kernel = torch.exp(squared / (-2 * bandwidth ** 2)).fill_diagonal_(0)
    dealt = torch.zeros(permutations + 1, m + n, dtype=torch.float64)
    dealt[0, :m] = 1
    for row in dealt[1:]:
        row[rng.permutation(m + n)[:m]] = 1
    to_a = dealt @ kernel
    within_a, across = (to_a * dealt).sum(1), (to_a * (1 - dealt)).sum(1)
    within_b = kernel.sum() - within_a - 2 * across
    values = within_a / (m * (m - 1)) + within_b / (n * (n - 1)) - 2 * across / (m * n)
    return MMD(float(values[0]), float(values[1:].quantile(0.95)), float((values >= values[0]).double().mean()),
               float(bandwidth))


def pictures_as_rows(a) -> Tensor:
    """A Domain, images or features as float64 (M, d), bytes scaled to [0, 1]."""
    a = getattr(a, "images", a)
    if a.ndim < 2 or a.numel() == 0:
        raise ValueError(f"a distance needs images (M, 1, H, W) or features (M, d), got shape {tuple(a.shape)}")
    rows = a.detach().flatten(1).double()
    if not bool(rows.isfinite().all()):
        raise ValueError("a distance needs finite features, but there are NaN or infinite values among them")
    return rows / 255 if a.dtype == torch.uint8 else rows


def _pair(a, b) -> tuple[Tensor, Tensor]:
    a, b = pictures_as_rows(a), pictures_as_rows(b)
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"both domains need rows of one size, got {a.shape[1]} and {b.shape[1]} values per row")
    if min(len(a), len(b)) < 10:
        raise ValueError(f"a distance needs at least 10 rows of each domain, got {len(a)} and {len(b)}")
    return a, b


def _check(splits: int, size: int) -> None:
    if size < 10:
        raise ValueError(f"size must be at least 10, got {size}")
    if splits < 2:
        raise ValueError(f"an interval needs at least 2 splits, got {splits}")


def components(x: Tensor, most: int = 50) -> np.ndarray:
    """The first principal components of the rows, each of variance 1. No label enters, so none can leak."""
    x = x - x.mean(0)
    variance, direction = torch.linalg.eigh(x.T @ x / len(x))
    keep = variance.flip(0)[:most] > 1e-9 * variance[-1].clamp(min=1e-30)
    first = direction.flip(1)[:, :most][:, keep]
    return (x @ first / variance.flip(0)[:most][keep].sqrt()).numpy()


def _error(a, b, train_a, train_b, test_a, test_b) -> float:
    """The held-out error of the discriminator; a coin's where the data offer no feature at all."""
    from sklearn.linear_model import LogisticRegression  # here, because it doubles the time to import mlcourse

    if a.shape[1] == 0:
        return 0.5
    names = np.repeat([0, 1], [len(train_a), len(train_b)])
    discriminator = LogisticRegression(C=1.0).fit(np.concatenate([a[train_a], b[train_b]]), names)
    return float((discriminator.predict(a[test_a]) == 1).mean() + (discriminator.predict(b[test_b]) == 0).mean()) / 2


def over_splits(scores: Sequence[float]) -> PAD:
    """The mean of the scores of some splits into halves and its interval, as in `proxy_a_distance`."""
    found = resplit_interval(scores)
    return PAD(found.mean, found.low, found.high)
