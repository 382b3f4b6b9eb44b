"""Lesson 02: the kinds of value that a right answer to each exercise comes in."""

from answer_kinds import ENTRIES, GRAPHS, NETS, PAIRS, UNBOUNDED

LOSSES = {name: lambda losses, kind=kind: [kind(loss) for loss in losses] for name, kind in GRAPHS.items()}

KINDS = {
    "02.1": PAIRS, "02.2": NETS, "02.3": UNBOUNDED, "02.4": LOSSES, "02.5": ENTRIES,
}
