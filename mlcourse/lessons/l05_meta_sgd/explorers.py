"""The explorers of the lesson, each with something to show: for the benchmark and the browser tests."""

from __future__ import annotations

from mlcourse.lessons.l05_meta_sgd.widget_learned_rates import LearnedRates


def learned_rates() -> LearnedRates:
    """Rates with something to rewind."""
    rates = LearnedRates()
    rates.step(200)
    return rates
