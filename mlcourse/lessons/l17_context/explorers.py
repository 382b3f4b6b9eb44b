"""The explorers of the lesson, each with something to show: for the benchmark and the browser tests."""

from __future__ import annotations

from mlcourse.lessons.l17_context.player import ALL
from mlcourse.lessons.l17_context.widget_coin import CoinPlayer
from mlcourse.lessons.l17_context.widget_player import PromptPlayer

__all__ = ["ALL", "CoinPlayer", "PromptPlayer", "coin_player", "prompt_player"]


def prompt_player() -> PromptPlayer:
    """All four learners, five examples."""
    return PromptPlayer(names=ALL, examples=5)


def coin_player() -> CoinPlayer:
    """A coin that the prior does not hold."""
    return CoinPlayer(coin=0.5)
