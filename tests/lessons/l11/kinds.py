"""Lesson 11: the kinds of value that a right answer to each exercise comes in."""

from answer_kinds import CONNECTED, COUNTS, ENTRIES, TRUTHS

KINDS = {
    "11.1": CONNECTED, "11.2": COUNTS, "11.3": CONNECTED, "11.4": TRUTHS, "11.5": ENTRIES,
}
