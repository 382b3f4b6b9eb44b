"""The second explorer of lesson 17: a coin that the prior may not hold."""

from __future__ import annotations

from typing import NamedTuple

import ipywidgets
import numpy as np

from mlcourse.lessons.l17_context import coin as exact
from mlcourse.lessons.l17_context.coin import COINS
from mlcourse.lessons.l17_context.scene_coin import CoinScene
from mlcourse.widgets.base import CONTROL, Explorer, columns

TOSSES = (0, 1, 2, 3, 5, 7, 10, 15, 20, 30, 45, 70, 100, 150, 200, 300)


class CoinRecord(NamedTuple):
    """coin: that is tossed. at: which of `tosses` (T,) are seen now. said, off, belief (T,): the means of what the
    model says of the next toss, of how far that is from the coin, and of its belief in the second coin. share (T,): how
    far (heads + 1)/(tosses + 2), the posterior mean of a prior that holds every coin, is off."""

    coin: float
    at: int
    tosses: np.ndarray
    said: np.ndarray
    off: np.ndarray
    belief: np.ndarray
    share: np.ndarray


class CoinPlayer(Explorer):
    """Toss a coin of your choice before a model that believes in two coins.

        CoinPlayer(coin=0.5)
    """

    def __init__(self, *, coin: float = 0.6, tosses: int = 10):
        super().__init__(CoinScene(), controls := {
            "coin": ipywidgets.FloatSlider(value=coin, min=0.1, max=0.9, step=0.05, readout_format=".2f",
                                           description="the coin", **CONTROL),
            "tosses": ipywidgets.SelectionSlider(options=list(TOSSES), value=tosses, description="tosses", **CONTROL),
        }, columns(list(controls.values()), 2))

    def compute(self, *, coin: float, tosses: int) -> CoinRecord:
        coin = round(coin, 2)
        said, off, belief = np.array([exact.expected(each, coin) for each in TOSSES]).T
        share = [exact.chances(n, coin) @ np.abs((np.arange(n + 1) + 1) / (n + 2) - coin) for n in TOSSES]
        return CoinRecord(coin, TOSSES.index(tosses), np.array(TOSSES), said, off, belief, np.array(share))

    def headline(self, record: CoinRecord) -> str:
        at = record.at
        return (f"A coin of {record.coin:.2f}, {record.tosses[at]} tosses: on average the model says "
                f"≈{record.said[at]:.2f} and is off by ≈{record.off[at]:.2f}; after none by ≈{record.off[0]:.2f}")

    def describe(self, record: CoinRecord) -> str:
        low, high = (exact.divergence(record.coin, each) for each in COINS)
        return (f"Belief in the coin {COINS[1]}: ≈{record.belief[record.at]:.2f}. Kullback–Leibler divergence from the "
                f"coin to {COINS[0]}: ≈{low:.3f}, to {COINS[1]}: ≈{high:.3f}.")
