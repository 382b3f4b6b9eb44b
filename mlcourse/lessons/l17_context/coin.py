"""What the explorer of the coin shows, exactly: a model that believes in two coins, and a coin that may be neither."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, gammaln, xlogy

COINS = (0.3, 0.6)


def belief(heads: np.ndarray | int, tosses: np.ndarray | int, coins: tuple[float, float] = COINS) -> np.ndarray:
    """The probability of the second coin after so many heads in so many tosses; one half before the first toss."""
    one, two = coins
    return expit(heads * np.log(two / one) + (tosses - heads) * np.log((1 - two) / (1 - one)))


def next_head(heads: np.ndarray | int, tosses: np.ndarray | int, coins: tuple[float, float] = COINS) -> np.ndarray:
    """The probability that the next toss is a head."""
    return coins[0] + (coins[1] - coins[0]) * belief(heads, tosses, coins)


def chances(tosses: int, coin: float) -> np.ndarray:
    """The probability of 0, 1, …, tosses heads, (tosses + 1,)."""
    heads = np.arange(tosses + 1)
    ways = gammaln(tosses + 1) - gammaln(heads + 1) - gammaln(tosses - heads + 1)
    return np.exp(ways + xlogy(heads, coin) + xlogy(tosses - heads, 1 - coin))


def expected(tosses: int, coin: float, coins: tuple[float, float] = COINS) -> tuple[float, float, float]:
    """Means over all outcomes of so many tosses of a coin: what the model says of the next toss, how far that is from
    the coin, and its belief in the second coin."""
    p, heads = chances(tosses, coin), np.arange(tosses + 1)
    said = next_head(heads, tosses, coins)
    return float(p @ said), float(p @ np.abs(said - coin)), float(p @ belief(heads, tosses, coins))


def divergence(coin: float, model: float) -> float:
    """The Kullback–Leibler divergence of a toss of `model` from a toss of `coin`, in nats."""
    return float(xlogy(coin, coin / model) + xlogy(1 - coin, (1 - coin) / (1 - model)))
