"""Lesson 06: the kinds of value that a right answer to each exercise comes in."""

from answer_kinds import DICTS, ENTRIES, NETS, PARTS, SEVERAL

EPISODES = {**PARTS, "float32 labels": lambda parts: [p.float() for p in parts]}

KINDS = {
    "06.1": EPISODES, "06.2": ENTRIES, "06.3": NETS, "06.4": DICTS, "06.5": SEVERAL, "06.6": ENTRIES,
}
