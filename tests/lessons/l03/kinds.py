"""Lesson 03: the kinds of value that a right answer to each exercise comes in."""

from answer_kinds import DICTS, ENTRIES, NUMBERS, SEVERAL

KINDS = {
    "03.1": DICTS, "03.2": NUMBERS, "03.3": NUMBERS, "03.4": DICTS, "03.5": SEVERAL, "03.6": ENTRIES,
}
