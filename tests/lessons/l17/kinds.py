"""Lesson 17: the kinds of value that a right answer to each exercise comes in."""

from answer_kinds import CONNECTED, ENTRIES, NUMBERS

KINDS = {
    "17.1": CONNECTED, "17.2": CONNECTED, "17.3": CONNECTED, "17.4": NUMBERS, "17.5": ENTRIES, "17.6": NUMBERS,
    "17.7": CONNECTED,
}
