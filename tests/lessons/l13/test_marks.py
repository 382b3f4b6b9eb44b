"""What the explorers of lesson 13 computed is marked ≈."""

import pytest
from marks import check_marked
from tiny import patterns

from mlcourse.domains import shift_domain
from mlcourse.episode.across import halves
from mlcourse.lessons.l13_adaptation import widget_alignment, widget_label_shift
from mlcourse.lessons.l13_adaptation.explorers import AlignmentWeight, Crossing, LabelShiftDial
from mlcourse.nets import LeNet


def worlds():
    source, target = patterns(0, 10, 40, 16), shift_domain(patterns(0, 10, 200, 16), "contrast", 0.6)
    return source, *halves(target)


def aligned():
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(widget_alignment, "WEIGHTS", (0.0, 1.0))
        return AlignmentWeight(LeNet(10, 2, "batch", 16), LeNet(10, 2, "layer", 16), *worlds(), steps=2, every=1)


def dialled():
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(widget_label_shift, "DISTANCES", (0.0, 0.6))
        return LabelShiftDial({"here": Crossing(LeNet(10, 2, "layer", 16), *worlds())})


def test_the_weight_of_the_alignment():
    check_marked(aligned, {0, 0.6, 1, 2, aligned().net.size})


def test_the_label_shift_dial():
    check_marked(dialled, {0, 0.6})
