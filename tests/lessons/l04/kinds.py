"""Lesson 04: the kinds of value that a right answer to each exercise comes in."""

from answer_kinds import COUNTS, DICTS, ENTRIES

KINDS = {
    "04.1": DICTS, "04.2": ENTRIES, "04.3": COUNTS, "04.4": DICTS, "04.5": ENTRIES,
}
