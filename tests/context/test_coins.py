"""Coins: the posterior against Bayes' rule by hand, and where it goes when the truth is no coin of the prior."""

import pytest
import torch

from mlcourse.context.coins import kl, posterior, predictive

COINS = (0.3, 0.6)


def test_the_posterior_is_bayes_rule():
    found = posterior(torch.tensor([[1, 0, 1]]), COINS)
    low, high = 0.3 * 0.7 * 0.3, 0.6 * 0.4 * 0.6
    assert found.shape == (1, 4, 2)
    assert found[0, 0].tolist() == [0.5, 0.5]
    assert found[0, 1].tolist() == pytest.approx([1 / 3, 2 / 3])
    assert found[0, 3].tolist() == pytest.approx([low / (low + high), high / (low + high)])
    assert predictive(torch.tensor([[1, 0, 1]]), COINS)[0, 0] == pytest.approx(0.45)


def test_the_log_odds_grow_by_the_difference_of_the_divergences():
    flips = (torch.rand(4000, 50, generator=torch.Generator().manual_seed(0)) < 0.5).long()
    odds = posterior(flips, COINS)[:, -1].log() @ torch.tensor([-1.0, 1.0], dtype=torch.float64)
    assert float(odds.mean()) / 50 == pytest.approx(kl(0.5, 0.3) - kl(0.5, 0.6), abs=0.004)
    assert kl(0.3, 0.3) == 0


def test_outside_the_prior_more_flips_make_it_more_wrong():
    flips = (torch.rand(2000, 1000, generator=torch.Generator().manual_seed(1)) < 0.5).long()
    wrong = (predictive(flips, COINS) - 0.5).abs().mean(0)
    assert wrong[0] == pytest.approx(0.05) and wrong[1000] > 0.095
    assert posterior(flips, COINS)[:, -1, 1].mean() > 0.95


def test_a_coin_that_is_none_is_refused():
    for coins in ((0.3, 1.0), (0.0,), (float("nan"),)):
        with pytest.raises(ValueError, match="a coin's probability must lie between 0 and 1, got"):
            posterior(torch.zeros(1, 1), coins)
