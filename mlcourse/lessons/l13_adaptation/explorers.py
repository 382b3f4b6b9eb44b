"""The explorers of the lesson, each with something to show: for the benchmark and the browser tests."""

from __future__ import annotations

from mlcourse.domains import Domain
from mlcourse.lessons.l13_adaptation import live
from mlcourse.lessons.l13_adaptation.widget_alignment import AlignmentWeight
from mlcourse.lessons.l13_adaptation.widget_label_shift import Crossing, LabelShiftDial
from mlcourse.nets import LeNet

__all__ = ["AlignmentWeight", "LabelShiftDial"]


def alignment_weight() -> AlignmentWeight:
    """Between typeset and handwritten digits."""
    source, train, test = live.typeset_and_handwritten()
    return AlignmentWeight(live.network(source, "batch"), live.network(source, "layer"), source, train, test)


def crossings(net: LeNet, source: Domain, train: Domain, test: Domain) -> dict[str, Crossing]:
    """Within faint print, made of the source and read with layer norm, and from the source to the target with `net`."""
    faint = live.faint_print(source)
    reader = live.network(faint.source, "layer")
    return {"faint print → faint print": Crossing(reader, faint.source, faint.train, faint.test,
                                                  live.held_back(source)),
            "typeset → handwritten": Crossing(net, source, train, test)}


def label_shift_dial() -> LabelShiftDial:
    """Within faint print, and from typeset to handwritten digits."""
    source, train, test = live.typeset_and_handwritten()
    return LabelShiftDial(crossings(live.network(source, "batch"), source, train, test))
