"""Lesson 07: the kinds of value that a right answer to each exercise comes in."""

from answer_kinds import COUNTS, ENTRIES

MANY = {"list": list, "float32": lambda parts: (parts[0].float(), parts[1].float(), parts[2]),
        "lists inside": lambda parts: (parts[0], parts[1], [parts[2][0], list(parts[2][1])])}

KINDS = {
    "07.1": COUNTS, "07.2": MANY, "07.3": ENTRIES, "07.4": ENTRIES,
}
