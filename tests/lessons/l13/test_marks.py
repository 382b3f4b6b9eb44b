"""What the explorer of lesson 13 computed is marked ≈."""

import pytest
from marks import check_marked
from tiny import patterns

from mlcourse import small
from mlcourse.domains import shift_domain
from mlcourse.episode.across import halves
from mlcourse.lessons.l13_adaptation import widget_adversarial_weight as adversarial_weight
from mlcourse.lessons.l13_adaptation.widget_adversarial_weight import AdversarialWeight


def aligned():
    source, target = patterns(0, 10, 40), shift_domain(patterns(0, 10, 200), "contrast", 0.6)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(adversarial_weight, "WEIGHTS", (0.3,))
        return AdversarialWeight(small.source_network(source, steps=10), source, *halves(target), steps=1, every=1)


def test_the_adversarial_weight():
    check_marked(aligned, {1, 5, 95, 150, 0.6})
