"""The explorers of the lesson, each with something to show: for the benchmark and the browser tests."""

from __future__ import annotations

from mlcourse.lessons.l13_adaptation import live
from mlcourse.lessons.l13_adaptation.widget_alignment import AlignmentWeight
from mlcourse.lessons.l13_adaptation.widget_label_shift import Crossing, LabelShiftDial

__all__ = ["AlignmentWeight", "Crossing", "LabelShiftDial"]


def alignment_weight() -> AlignmentWeight:
    """Between typeset and handwritten digits."""
    source, train, test = live.typeset_and_handwritten()
    return AlignmentWeight(live.network(source, "batch"), live.network(source, "layer"), source, train, test)


def label_shift_dial() -> LabelShiftDial:
    """Within faint print, and from typeset to handwritten digits."""
    source, train, test = live.typeset_and_handwritten()
    faint = live.faint_print(source)
    reader, net = live.network(faint.source, "layer"), live.network(source, "batch")
    return LabelShiftDial({"faint print → faint print": Crossing(reader, faint.source, faint.train, faint.test,
                                                                 live.held_back(source)),
                           "typeset → handwritten": Crossing(net, source, train, test)})
