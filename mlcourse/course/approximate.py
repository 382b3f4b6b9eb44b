"""Texts whose live numbers, marked with ≈, differ a little between processors."""

from __future__ import annotations

import math
import re

ALONE = 0.15            # how far a number without an interval may lie from the stored one, or a factor of two
HALF_WIDTHS = 3         # how many stored half-widths one with an interval may
WIDTHS = 5              # the factor by which its interval may be wider or narrower: the tails of errors are heavy

NUMBER = r"[-+−]?(?:\d[\d,]*\.?\d*(?:[eE][-+]?\d+)?(?:·10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?|nan|inf)"
MARKED = re.compile(rf"[ \t]*≈[ \t]*(?:(?P<number>{NUMBER})(?:[ \t]*±[ \t]*(?P<half>{NUMBER}))?"
                    rf"|\[(?P<low>{NUMBER}),[ \t]*(?P<high>{NUMBER})\])[ \t]*")
EXPONENT = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def settle(stored: str, now: str) -> str:
    """The text `now` with every ≈ number that agrees with its counterpart in `stored` written as it stands there.

    So the two texts are equal exactly when they differ in nothing but live numbers that agree. A number with its
    interval, as in "≈0.31 ± 0.02" or "≈[0.29, 0.33]", agrees when it (or the middle) lies within three stored
    half-widths and the interval is at most five times as wide or as narrow; any other within a factor of two or 0.15.
    Blanks around a marked number, which align it, count with it. Where the texts do not hold equally many marked
    numbers, `now` comes back as it is.
    """
    there, here = list(MARKED.finditer(stored)), list(MARKED.finditer(now))
    if len(there) != len(here):
        return now
    pieces, end = [], 0
    for old, new in zip(there, here):
        pieces += [now[end:new.start()], (old if agree(old, new) else new).group()]
        end = new.end()
    return "".join(pieces) + now[end:]


def agree(stored: re.Match, now: re.Match) -> bool:
    """Whether two matches of MARKED are two measurements of one number."""
    old, new = middle_and_half(stored), middle_and_half(now)
    if (old is None) != (new is None):
        return False
    if old is None:
        return near(value(stored["number"]), value(now["number"]))
    (middle, half), (other, wide) = (((high + low) / 2, (high - low) / 2) for low, high in (old, new))
    if half > 0 and math.isfinite(half):
        return abs(other - middle) <= HALF_WIDTHS * half and near(half, wide, WIDTHS)
    return all(near(a, b) for a, b in zip(old, new))


def middle_and_half(match: re.Match) -> tuple[float, float] | None:
    """The ends of a marked number's interval; None where it has none."""
    if match["low"]:
        return value(match["low"]), value(match["high"])
    if match["half"]:
        middle, half = value(match["number"]), value(match["half"])
        return middle - half, middle + half
    return None


def near(stored: float, now: float, factor: float = 2) -> bool:
    """Whether a number lies within a factor of the stored one, or within 0.15."""
    if not (math.isfinite(stored) and math.isfinite(now)):
        return stored == now or (math.isnan(stored) and math.isnan(now))
    ratio = now / stored if stored else math.inf
    return 1 / factor <= ratio <= factor or abs(now - stored) <= ALONE


def value(text: str) -> float:
    """The number that a text such as "1,234", "−0.5", "2.4e-05" or "2·10⁻⁵" says."""
    return float(text.replace(",", "").replace("−", "-").replace("·10", "e").translate(EXPONENT))
