"""Lesson 10: the kinds of value that a right answer to each exercise comes in."""

from answer_kinds import CHANNELS, CONNECTED, ENTRIES, GRAPHS

KINDS = {
    "10.1": CONNECTED, "10.2": CONNECTED, "10.3": CHANNELS, "10.4": ENTRIES, "10.5": GRAPHS,
}
