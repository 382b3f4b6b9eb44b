"""Numbers in the text of a lesson, and the sign ≈ before those that differ between processors."""

import re

MARKED = re.compile(r"≈(?:\[[^\]]*\]|-?(?:\d[\d,]*\.?\d*(?:e[-+]?\d+)?|nan|inf))(?: ± [\d.]+)?")
PLACE = re.compile(r"[\w.]+\[[\d, ]*\]")            # body.0.weight[3, 0], the name of a weight


def unmarked(text, known=()):
    """The numbers of a text without the sign ≈, other than those in `known`, as its settings are."""
    rest = PLACE.sub("", MARKED.sub("", text))
    return [number for number in re.findall(r"\d+(?:\.\d+)?", rest) if float(number) not in set(known)]
