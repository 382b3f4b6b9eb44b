"""The explorers of the lesson, each with something to show: for the benchmark and the browser tests."""

from __future__ import annotations

from mlcourse.lessons.l07_optimiser.widget_race import OptimiserRace
from mlcourse.lessons.l07_optimiser.widget_rate_and_momentum import RateAndMomentum


def rate_and_momentum() -> RateAndMomentum:
    """At a rate that is a little low."""
    return RateAndMomentum()


def optimiser_race() -> OptimiserRace:
    """As trained."""
    return OptimiserRace()
