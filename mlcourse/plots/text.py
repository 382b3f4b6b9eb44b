"""Text that a user brought, such as the name of a folder, drawn as text."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from matplotlib.font_manager import fontManager, get_font
from matplotlib.text import Text

USUAL = "DejaVu Sans"           # matplotlib's own, and the course's


def as_written(texts: Iterable[Text]) -> None:
    """Have texts drawn as they are written: $ is a sign and starts no formula, and a character that the usual font
    lacks comes from another font of this machine, or stands as its code, U+732B, where no font has it.

    Numbers on a logarithmic axis, which matplotlib itself writes as formulas, stay.
    """
    for text in texts:
        shown = text.get_text()
        if "$" in shown and r"\mathdefault" not in shown:
            text.set_parse_math(False)
        if shown.isascii():
            continue
        lacking = {c for c in shown if ord(c) not in _characters(fontManager.findfont(USUAL)) and not c.isspace()}
        if lacking:
            fonts = {c: _font_with(c) for c in lacking}
            text.set_text("".join(f"U+{ord(c):04X}" if c in fonts and fonts[c] is None else c for c in shown))
            text.set_fontfamily([USUAL, *sorted({font for font in fonts.values() if font})])


@lru_cache(maxsize=None)
def _font_with(character: str) -> str | None:
    """The name of an installed font that has a character."""
    for entry in fontManager.ttflist:
        if entry.name != "Last Resort" and ord(character) in _characters(entry.fname):
            return entry.name
    return None


@lru_cache(maxsize=None)
def _characters(file: str) -> frozenset[int]:
    """The characters that a font file has; none where it cannot be read."""
    try:
        return frozenset(get_font(file).get_charmap())
    except (OSError, RuntimeError):
        return frozenset()
