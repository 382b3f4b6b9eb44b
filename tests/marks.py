"""Numbers in the text of a lesson, and the sign ≈ before those that differ between processors."""

import re

MARKED = re.compile(r"≈(?:\[[^\]]*\]|-?(?:\d[\d,]*\.?\d*(?:e[-+]?\d+)?|nan|inf))(?: ± [\d.]+)?")


def unmarked(text, known=()):
    """The numbers of a text without the sign ≈, other than those in `known`, as its settings are."""
    return [number for number in re.findall(r"\d+(?:\.\d+)?", MARKED.sub("", text)) if float(number) not in set(known)]
