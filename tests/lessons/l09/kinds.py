"""Lesson 09: the kinds of value that a right answer to each exercise comes in."""

from answer_kinds import CONNECTED, COUNTS, ENTRIES

KINDS = {
    "09.1": CONNECTED, "09.2": CONNECTED, "09.3": CONNECTED, "09.4": COUNTS, "09.5": CONNECTED, "09.6": ENTRIES,
}
