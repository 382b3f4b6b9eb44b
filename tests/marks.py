"""Numbers in the text of a lesson, and the sign ≈ before those that differ between processors."""

import math
import re

from mlcourse.plots.style import short
from mlcourse.system.machine import one_core
from mlcourse.widgets import sweep

MARKED = re.compile(r"≈(?:\[[^\]]*\]|-?(?:\d[\d,]*\.?\d*(?:e[-+]?\d+)?|nan|inf))(?: ± [\d.]+)?")


def unmarked(text, known=()):
    """The numbers of a text without the sign ≈, other than those in `known`, as its settings are."""
    return [number for number in re.findall(r"\d+(?:\.\d+)?", MARKED.sub("", text)) if float(number) not in set(known)]


def check_marked(build, known):
    """What an explorer says of numbers that it computed is marked ≈, whatever its controls stand at.

    build: makes the explorer. known: numbers that it may say unmarked beside its settings and their logarithms.
    """
    with one_core():
        explorer = build()
        for name, value, _ in sweep(explorer):
            settings = {float(f"{x:.3g}") for x in explorer.settings.values() if isinstance(x, (int, float))}
            logs = {float(short(math.log(x))) for x in settings if x > 1}
            assert unmarked(explorer.alt, known | settings | logs) == [], (name, value, explorer.alt)
            assert "≈" in explorer.alt
