"""Names: which classes of two domains are the same, and how a list of names is said."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence


def listed(names: Iterable[str], most: int = 3) -> str:
    """Names as the end of a sentence: all, or the first `most` and how many more there are. Characters that cannot be
    shown are escaped."""
    shown = [name if name.isprintable() else ascii(name)[1:-1] for name in names]
    if len(shown) > most:
        return f"{', '.join(shown[:most])} and {len(shown) - most:,} more"
    return " and ".join(filter(None, [", ".join(shown[:-1]), *shown[-1:]]))


def quoted(names: Iterable[str], most: int = 3) -> str:
    """As `listed`, in quotation marks, so that a space at an end is seen."""
    return listed((f"'{name}'" for name in names), most)


def composed(name: str) -> str:
    """The name with each accented letter as one character (Unicode's NFC)."""
    return unicodedata.normalize("NFC", name)


def class_key(name: str) -> str:
    """What is left of a name where upper case, the way accents are typed, full-width letters, characters without width,
    the kind of space between words (blanks, _ or a dash) and blanks at the ends are of no account; two names with the
    same key are taken for the same class."""
    folded = composed(composed("".join(map(_plain, name))).casefold())
    return re.sub(r"(?<=[^\W_])[\s_-]+(?=[^\W_])", " ", " ".join(folded.split()))


def _plain(character: str) -> str:
    """A character as a plain keyboard types it: a full-width one as the usual one, any dash as "-", a soft hyphen, a
    joiner or another one without width as nothing."""
    if "\uff01" <= character <= "\uff5e":
        return chr(ord(character) - 0xFEE0)
    return {"Cf": "", "Pd": "-"}.get(unicodedata.category(character), character)


def matched(names: Sequence[str], others: Sequence[str], where: str, elsewhere: str) -> dict[str, str]:
    """The names of `names` that are in `others`, each with how it is spelt there: the same name first, then, among
    those left, the same but for the way accents are typed, then the same by `class_key`.

    where, elsewhere: whose names they are, for the error. Raises ValueError when it is open which of several is meant.
    """
    found: dict[str, str] = {}
    for key in (str, composed, class_key):
        left = _by_key([name for name in names if name not in found], key)
        right = _by_key([name for name in others if name not in found.values()], key)
        for shared in left.keys() & right.keys():
            mine, theirs = left[shared], right[shared]
            if len(mine) == len(theirs) == 1:
                found[mine[0]] = theirs[0]
            elif key is class_key:
                several, place, one, there = ((mine, where, theirs, elsewhere) if len(mine) > 1 else
                                              (theirs, elsewhere, mine, where))
                raise ValueError(f"{quoted(several)} of {place} differ only in case, accents or spaces, so that it is "
                                 f"open which of them is {quoted(one)} of {there}; rename them")
    return {name: found[name] for name in names if name in found}


def _by_key(names: Iterable[str], key: Callable[[str], str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(key(name), []).append(name)
    return groups
