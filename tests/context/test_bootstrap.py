"""T9: how wide the limits of the authors' curves are."""

import pytest
import torch

from mlcourse.context import bootstrap_limits


def test_t9_limits_at_5_and_95_per_cent_are_a_90_per_cent_interval():
    errors = torch.randn(2000, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 4
    error_of_mean = errors.std(0) / 2000**0.5
    for tail, quantile in ((0.05, 1.645), (0.025, 1.96)):
        low, high = bootstrap_limits(errors, torch.Generator().manual_seed(1), tail)
        wide = ((high - low) / 2 / error_of_mean).tolist()
        assert wide == pytest.approx([quantile] * 3, rel=0.08)
        torch.testing.assert_close((high + low) / 2, errors.mean(0), rtol=0, atol=0.01)


def test_about_a_tenth_of_such_limits_miss_the_mean():
    missed = []
    for seed in range(150):
        generator = torch.Generator().manual_seed(seed)
        low, high = bootstrap_limits(torch.randn(60, 4, generator=generator), generator)
        missed.append(((low > 0) | (high < 0)).float())
    assert float(torch.stack(missed).mean()) == pytest.approx(0.10, abs=0.04)


def test_a_tail_beyond_the_middle_is_refused():
    with pytest.raises(ValueError, match="between 0 and 0.5, got 0.5"):
        bootstrap_limits(torch.zeros(3, 1), torch.Generator(), 0.5)
