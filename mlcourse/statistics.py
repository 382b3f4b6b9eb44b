"""How sure a mean is: 95 % intervals over episodes and over seeds, of paired differences, of ratios and of shares."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import stdtr, stdtrit

NORMAL = 1.96       # the 0.975 quantile of the normal distribution, to the digits that papers use


@dataclass(frozen=True)
class Estimate:
    """A mean and the half-width of its 95 % interval; `mean, half = estimate` takes it apart.

    n: how many independent values, at least 1. covers: what they are, and so what the interval speaks for: "episodes"
    of one trained model, "seeds", "splits". half is at least 0, and nan where there is no interval: for a single value,
    and where one is infinite or nan.
    """

    mean: float
    half: float
    n: int
    covers: str

    @property
    def low(self) -> float:
        """The lower end; above 0, the mean is positive by more than its interval. nan where there is no interval."""
        return self.mean - self.half

    @property
    def high(self) -> float:
        """The upper end; below 0, the mean is negative by more than its interval. nan where there is no interval."""
        return self.mean + self.half

    def __iter__(self) -> Iterator[float]:
        return iter((self.mean, self.half))

    def times(self, factor: float) -> Estimate:
        """The estimate in another unit, such as 100 for per cent. Raises ValueError unless the factor is positive."""
        if not factor > 0:
            raise ValueError(f"a unit's factor must be positive, got {factor}")
        return replace(self, mean=factor * self.mean, half=factor * self.half)

    def text(self, digits: int = 1, sign: bool = False, tight: bool = False) -> str:
        """As in "12.3 ± 0.4", with `sign` "+12.3 ± 0.4", `tight` "12.3±0.4"; the mean alone without an interval.

        digits: behind the point, at least 0.
        """
        mean = f"{self.mean:{'+' if sign else ''}.{digits}f}"
        return mean if np.isnan(self.half) else f"{mean}{'±' if tight else ' ± '}{self.half:.{digits}f}"


def interval(values: Sequence[float], covers: str = "episodes") -> Estimate:
    """The mean of many independent values, n >= 30 of them, with 1.96 sd/√n: such as the scores of episodes.

    For a handful of seeds use `t_interval`. Raises ValueError without values, or where they are no list.
    """
    values = _floats(values)
    mean, error = _mean_and_error(values)
    return Estimate(mean, NORMAL * error, len(values), covers)


def t_interval(values: Iterable[float], covers: str = "seeds") -> Estimate:
    """The mean of a few independent values with Student's t: such as one average for each seed.

    Raises ValueError without values, or where they are no list.
    """
    values = _floats(values)
    mean, error = _mean_and_error(values)
    return Estimate(mean, _t(len(values) - 1) * error, len(values), covers)


def cell(values: Iterable[float], digits: int = 1) -> str:
    """The cell of a table, from one value for each seed: mean ± half-width of `t_interval`, the mean alone for one
    seed, a dash for none."""
    values = _floats(values, least=0)
    return t_interval(values).text(digits) if len(values) else "–"


def paired_difference(a: Sequence[float] | Mapping[int, float], b: Sequence[float] | Mapping[int, float],
                      covers: str = "seeds") -> Estimate:
    """The mean of a - b with Student's t, for values that belong together: what a seed does to both cancels.

    a, b: {seed: value}, or values in the same order. Raises ValueError for other seeds in one than in the other, for
    unequal lengths, and without values.
    """
    a, b = _pairs(a, b)
    return t_interval(_difference(a, b), covers)


def paired_p_value(a: Sequence[float] | Mapping[int, float], b: Sequence[float] | Mapping[int, float]) -> float:
    """The two-sided p-value of Student's t-test that paired values have equal means; nan for one pair.

    Raises as `paired_difference` does.
    """
    a, b = _pairs(a, b)
    mean, error = _mean_and_error(_difference(a, b))
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(2 * stdtr(len(a) - 1, -abs(np.float64(mean) / error))) if len(a) > 1 else float("nan")


def holm(p_values: Mapping[Hashable, float]) -> dict[Hashable, float]:
    """The p-values of a family of tests, adjusted so that one below 0.05 is a false alarm in at most one family in
    twenty (Holm 1979): the i-th smallest of n times n - i + 1, none below a smaller one's, none above 1.
    """
    order = sorted(p_values, key=p_values.get)
    adjusted, least = {}, 0.0
    for i, name in enumerate(order):
        least = max(least, min(1.0, (len(order) - i) * p_values[name]))
        adjusted[name] = least
    return {name: adjusted[name] for name in p_values}


def unpaired_difference(a: Sequence[float], b: Sequence[float], covers: str = "seeds") -> Estimate:
    """The mean of a less that of b as if both were independent samples of equal length and variance (Student 1908).

    What `paired_difference` of the same values is to be compared with. Raises ValueError for unequal lengths.
    """
    a, b = _pairs(a, b)
    (mean_a, error_a), (mean_b, error_b) = _mean_and_error(a), _mean_and_error(b)
    return Estimate(mean_a - mean_b, _t(2 * len(a) - 2) * float(np.hypot(error_a, error_b)), len(a), covers)


def paired_ratio(a: Sequence[float] | Mapping[int, float], b: Sequence[float] | Mapping[int, float],
                 covers: str = "episodes") -> Estimate:
    """mean(a) / mean(b) for paired values, n >= 30 of them: a_i and b_i of the same task.

    The delta method: 1.96 standard errors of a - ratio · b, over mean(b). Raises as `paired_difference` does, and where
    the mean of b is 0.
    """
    a, b = _pairs(a, b)
    if b.mean() == 0:
        raise ValueError("the ratio is not defined: the mean of b is 0")
    with np.errstate(invalid="ignore"):
        ratio = a.mean() / b.mean()
        half = NORMAL * _mean_and_error(a - ratio * b)[1] / abs(b.mean())
    return Estimate(float(ratio), float(half), len(a), covers)


def resplit_interval(values: Sequence[float], test_share: float = 1.0, covers: str = "splits") -> Estimate:
    """The mean over random splits of the same data, with Student's t and the correction of Nadeau and Bengio 2003: the
    splits share data, so the variance of the mean is that of a split times (1/n + test_share).

    test_share: the test rows of a split for each of its training rows, above 0. Raises ValueError for another share,
    and without values.
    """
    if not test_share > 0:
        raise ValueError(f"test_share must be positive, got {test_share}")
    values = _floats(values)
    n = len(values)
    mean, error = _mean_and_error(values)
    return Estimate(mean, _t(n - 1) * error * float(np.sqrt(1 + n * test_share)), n, covers)


def wilson(right: int, n: int) -> tuple[float, float]:
    """The 95 % interval (low, high) of a share, from `right` of n (Wilson, J. Am. Stat. Assoc. 1927): honest for ten
    questions, where p ± 1.96 √(p(1-p)/n) claims certainty for 10 out of 10.

    Both ends lie in [0, 1]. Raises ValueError for right outside 0..n, or n below 1.
    """
    if not 0 <= right <= n or n < 1:
        raise ValueError(f"correct answers must lie in 0..{n} of at least 1 question, got {right}")
    p, z2 = right / n, NORMAL ** 2
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = NORMAL * float(np.sqrt(p * (1 - p) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    return max(0.0, centre - half), min(1.0, centre + half)


def columns(estimates: Iterable[Estimate]) -> tuple[np.ndarray, np.ndarray]:
    """The means and the half-widths of some estimates, an array each, as error bars take them."""
    mean, half = np.array([tuple(each) for each in estimates], dtype=float).reshape(-1, 2).T
    return mean, half


def fitted_line(x, y) -> tuple[float, float, float]:
    """The least-squares line through the points (x_i, y_i): slope, intercept and R², the share of y's variance on it.

    Raises ValueError for fewer than 3 points, as any line fits two, for unequal lengths, or where all x are equal.
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape or len(x) < 3 or np.ptp(x) == 0:
        raise ValueError(f"a fitted line needs at least 3 points that differ in x, got x {x.tolist()}, y {y.tolist()}")
    dx, dy = x - x.mean(), y - y.mean()
    slope = (dx @ dy) / (dx @ dx)
    left = dy - slope * dx
    r2 = 1 - (left @ left) / (dy @ dy) if dy.any() else 1.0
    return float(slope), float(y.mean() - slope * x.mean()), float(r2)


def _t(degrees: int) -> float:
    """The 0.975 quantile of Student's t; nan for 0 degrees of freedom."""
    return float(stdtrit(degrees, 0.975))


def _floats(values: Iterable[float], least: int = 1) -> np.ndarray:
    values = np.asarray(values if hasattr(values, "__array__") else list(values), dtype=np.float64)
    if values.ndim != 1 or len(values) < least:
        raise ValueError(f"an estimate needs a list of at least 1 value, got an array of shape {values.shape}")
    return values


def _pairs(a, b) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        if set(a) != set(b):
            raise ValueError(f"paired values need the same seeds on both sides, got {sorted(a)} and {sorted(b)}")
        a, b = list(a.values()), [b[seed] for seed in a]
    a, b = _floats(a), _floats(b)
    if len(a) != len(b):
        raise ValueError(f"paired values need equal lengths, got {len(a)} and {len(b)}")
    return a, b


def _difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return a - b


def _mean_and_error(values: np.ndarray) -> tuple[float, float]:
    """The mean and its standard error, which is nan for one value and where a value is not finite."""
    with np.errstate(invalid="ignore"):
        mean = float(values.mean())
        return mean, float(values.std(ddof=1) / len(values) ** 0.5) if len(values) > 1 else float("nan")
