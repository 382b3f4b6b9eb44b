"""The explorers of the lesson, each with something to show: for the benchmark and the browser tests."""

from __future__ import annotations

from mlcourse import small
from mlcourse.datasets import load
from mlcourse.episode.across import halves
from mlcourse.lessons.l13_adaptation.widget_adversarial_weight import AdversarialWeight


def adversarial_weight() -> AdversarialWeight:
    """Between typeset and handwritten digits."""
    source = small.shrunk(load("glyphs-digits@unframed"))
    return AdversarialWeight(small.source_network(source), source, *halves(small.shrunk(load("digits@unframed"))))
