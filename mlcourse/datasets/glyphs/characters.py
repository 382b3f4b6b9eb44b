"""Which characters make the glyphs data set: the scripts, and one of every group of look-alikes."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

import numpy as np

from mlcourse.datasets.glyphs.drawing import BOX, character_map, ink_along, strokes

SANS, STIX = "DejaVuSans.ttf", "STIXGeneral.ttf"
NEAR = 5.25         # pixels of farthest + 3 · mean (see `apart`) under which two characters look alike
SIMILAR = 0.92      # correlation (see `correlations`) above which two characters look alike
GRID = 64           # distance fields have 64 × 64 cells of half a pixel
WIDTHS = (0.75, 0.87, 1.0, 1.15, 1.33)      # how wide and how slanted hands write, for comparisons
SLANTS = (-0.24, -0.12, 0.0, 0.12, 0.24)
FEWEST = 25         # points of a path: characters with fewer consist of dots only


class Character(NamedTuple):
    """A character, the script it belongs to, and the font file that draws it."""

    script: str
    text: str
    font: str

    @property
    def name(self) -> str:
        """The class name: script and Unicode name, as in "Greek/GREEK SMALL LETTER ALPHA"."""
        return f"{self.script}/{unicodedata.name(self.text)}"


# (script, font, inclusive ranges of code points). When a shape repeats, the earlier place keeps it: so the small
# scripts stand before the long tails of Latin, Greek and Cyrillic.
SOURCES: tuple[tuple[str, str, tuple[tuple[int, int], ...]], ...] = (
    ("Digits", SANS, ((0x30, 0x39),)),
    ("Latin", SANS, ((0x41, 0x5A), (0x61, 0x7A))),
    ("Hebrew", SANS, ((0x5D0, 0x5EA),)),
    ("Arabic", SANS, ((0x621, 0x64A), (0x660, 0x669))),
    ("Ogham", SANS, ((0x1681, 0x169A),)),
    ("Georgian Mkhedruli", SANS, ((0x10D0, 0x10FA),)),
    ("Lao", SANS, ((0xE81, 0xEAE), (0xEBD, 0xEC4), (0xED0, 0xED9))),
    ("Tifinagh", SANS, ((0x2D30, 0x2D65),)),
    ("Greek", SANS, ((0x391, 0x3C9),)),
    ("Cyrillic", SANS, ((0x410, 0x44F),)),
    ("N'Ko", SANS, ((0x7C0, 0x7EA),)),
    ("Old Italic", SANS, ((0x10300, 0x1031E),)),
    ("Armenian", SANS, ((0x531, 0x586),)),
    ("Georgian Asomtavruli", SANS, ((0x10A0, 0x10C5),)),
    ("Georgian Nuskhuri", SANS, ((0x2D00, 0x2D25),)),
    ("Canadian Syllabics", SANS, ((0x1401, 0x1676),)),
    ("Fraktur", STIX, ((0x1D504, 0x1D537), (0x210C, 0x210C), (0x2111, 0x2111), (0x211C, 0x211C), (0x2128, 0x2128),
                       (0x212D, 0x212D))),
    ("Mathematical Script", STIX, ((0x1D49C, 0x1D4CF), (0x210B, 0x210B), (0x2110, 0x2110), (0x2112, 0x2112),
                                   (0x211B, 0x211B), (0x212C, 0x212C), (0x2130, 0x2131), (0x2133, 0x2133))),
    ("Astrological", SANS, ((0x2609, 0x2609), (0x263D, 0x2653), (0x26B3, 0x26B8), (0x26E2, 0x26E2))),
    ("Mathematical Operators", SANS, ((0x2200, 0x224F), (0x2261, 0x22FF))),
    ("Cyrillic", SANS, ((0x402, 0x40F), (0x450, 0x52F), (0xA640, 0xA697))),
    ("Greek", SANS, ((0x370, 0x390), (0x3D7, 0x3E1), (0x3F3, 0x3FF))),
    ("Latin", SANS, ((0xC0, 0x2AF), (0xA722, 0xA7FF))),
)

# What the two measures let pass and a reader does not: found by looking at the pairs that a nearest-neighbour
# classifier confuses most often in the finished drawings. The partner that stays is named behind.
ALIKE_BY_EYE: frozenset[str] = frozenset((
    "LATIN SMALL LETTER Y",                     # Latin Y
    "LATIN EPIGRAPHIC LETTER INVERTED M",       # Latin W
    "GREEK SMALL LETTER NU",                    # Latin V
    "CYRILLIC CAPITAL LETTER PSI",              # Greek psi
    "CYRILLIC CAPITAL LETTER KOMI DE",          # Latin d
    "OLD ITALIC LETTER TE",                     # Latin T
    "OLD ITALIC LETTER U",                      # Latin Y
    "ARMENIAN CAPITAL LETTER CHA",              # Armenian za
    "ARMENIAN SMALL LETTER CHA",                # Arabic-Indic four
    "GEORGIAN CAPITAL LETTER DON",              # Armenian ca
    "GEORGIAN CAPITAL LETTER BAN",              # Armenian vew
    "GEORGIAN SMALL LETTER RAE",                # Georgian capital rae
    "GEORGIAN LETTER WE",                       # 3
    "ARABIC LETTER DAL",                        # Arabic reh
    "NKO LETTER OO",                            # Hebrew kaf
    "NKO LETTER U",                             # Latin U
    "NKO LETTER CHA",                           # Latin I
    "NKO LETTER LA",                            # Latin q
    "CANADIAN SYLLABICS KE",                    # Latin q
    "CANADIAN SYLLABICS YA",                    # Hebrew lamed
    "CANADIAN SYLLABICS YE",                    # N'Ko six
    "MATHEMATICAL FRAKTUR CAPITAL J",           # Fraktur F
    "SMALL ELEMENT OF",                         # Latin e
    "GEOMETRIC PROPORTION",                     # minus sign
))

# Negated and compound operators are composites, as letters with accents are.
COMPOUND = re.compile(r" (WITH|LIGATURE|NOT|NEITHER|NOR|AND|OR|ABOVE|BELOW|BUT)\b")

# Syllabics with a dot, a ring or a doubled vowel are composites, finals are small copies of the large letters.
SYLLABIC = re.compile(r"CANADIAN SYLLABICS (CARRIER |BLACKFOOT |NASKAPI )?[BCDFGHJKLMNPQRSTVXYZ]*(E|I|O|A|U|EE)$")


def is_base(text: str) -> bool:
    """Whether a character is a letter or sign of its own, not another with an accent, a hook or a dot."""
    name = unicodedata.name(text, "")
    if name.startswith("CANADIAN"):
        return SYLLABIC.match(name) is not None
    composite = unicodedata.decomposition(text) and not name.startswith(("MATHEMATICAL", "SCRIPT", "BLACK-LETTER"))
    letter = unicodedata.category(text) in ("Lu", "Ll", "Lo", "Nd", "So", "Sm")
    return bool(name) and letter and not composite and not COMPOUND.search(name)


def candidates() -> list[Character]:
    """Every base character of the sources that its font can draw, in order."""
    return [Character(script, chr(code), font)
            for script, font, ranges in SOURCES
            for first, last in ranges for code in range(first, last + 1)
            if code in character_map(font) and is_base(chr(code))]


def normalised(path: np.ndarray, width: float = 1.0, slant: float = 0.0) -> np.ndarray:
    """A path (P, 2) stretched and slanted, then moved and scaled: centred on 0, its longer side BOX."""
    path = path @ np.array([[width, 0], [-slant, 1]])
    low, high = path.min(0), path.max(0)
    return (path - (low + high) / 2) * (BOX / max(1e-6, (high - low).max()))


def cells(path: np.ndarray) -> np.ndarray:
    """The cells of a distance field that the points (P, 2) of a path fall in, each once: int64 (C,)."""
    x, y = np.clip(np.rint(path * 2 + (GRID - 1) / 2).astype(int), 0, GRID - 1).T
    return np.unique(y * GRID + x)


def distances(path: np.ndarray) -> np.ndarray:
    """The distance in pixels from every cell to the nearest point of a path: float32 (GRID²,)."""
    from scipy.ndimage import distance_transform_edt

    far = np.ones(GRID * GRID, bool)
    far[cells(path)] = False
    return distance_transform_edt(far.reshape(GRID, GRID)).ravel().astype(np.float32) / 2


def apart(paths: list[np.ndarray], limit: float = 4.0) -> dict[tuple[int, int], tuple[float, float]]:
    """How far apart two characters are, in pixels of a drawing: {(i, j): (farthest, mean)} for i < j.

    farthest: Hausdorff's distance, the farthest that any point of one path lies from the other path (it
    sees one dot too many, where a correlation of pixels would not). mean: the larger of the two mean
    distances from a point of one path to the other. Both paths are moved and scaled to the same box
    first, and one is also widened and slanted as the hands do; the placing with the smallest sum counts.
    Pairs farther apart than `limit` are left out.
    """
    plain = [normalised(path) for path in paths]
    fields = np.stack([distances(path) for path in plain])
    places = [cells(path) for path in plain]
    far = np.stack([fields[:, place].max(1) for place in places])    # [i, j]: from i's points to j
    near = np.maximum(far, far.T) < 1.5 * limit
    found: dict[tuple[int, int], tuple[float, float]] = {}
    for i, path in enumerate(paths):
        others = near[i].nonzero()[0]
        others = others[others != i]
        if not len(others):
            continue
        own = np.concatenate([places[j] for j in others])
        sizes = np.array([len(places[j]) for j in others])
        starts = np.cumsum(sizes) - sizes
        for width in WIDTHS:
            for slant in SLANTS:
                shape = normalised(path, width, slant)
                there, back = fields[np.ix_(others, cells(shape))], distances(shape)[own]
                farthest = np.maximum(there.max(1), np.maximum.reduceat(back, starts))
                mean = np.maximum(there.mean(1), np.add.reduceat(back, starts) / sizes)
                for k in (farthest < limit).nonzero()[0]:
                    pair = (min(i, int(others[k])), max(i, int(others[k])))
                    if farthest[k] + mean[k] < sum(found.get(pair, (np.inf,))):
                        found[pair] = (float(farthest[k]), float(mean[k]))
    return found


def correlations(paths: list[np.ndarray]) -> np.ndarray:
    """The cosine between blurred drawings of every two characters, at the best of many placings: (C, C) in [0, 1].

    One of the two is widened, slanted and shifted by up to a pixel. Beside `apart`, this sees pairs that
    differ by a small hook or tail only, however far it sticks out.
    """
    from scipy.ndimage import gaussian_filter

    def pictures(width, slant):
        return np.stack([gaussian_filter(ink_along(normalised(path, width, slant), 2.5), 1.0) for path in paths])

    def unit(images):
        flat = images.reshape(len(images), -1).astype(np.float32)
        return flat / np.linalg.norm(flat, axis=1, keepdims=True)

    plain, best = unit(pictures(1.0, 0.0)), np.zeros((len(paths), len(paths)), np.float32)
    for width in WIDTHS:
        for slant in SLANTS:
            images = pictures(width, slant)
            for shift in np.ndindex(3, 3):
                best = np.maximum(best, unit(np.roll(images, np.subtract(shift, 1), (1, 2))) @ plain.T)
    return np.maximum(best, best.T)


def first_of_each(number: int, pairs: list[tuple[int, int]]) -> list[int]:
    """The indices 0..number-1 that stay: each in turn, unless it makes a pair with one that stays already."""
    twins: dict[int, list[int]] = {}
    for i, j in pairs:
        twins.setdefault(max(i, j), []).append(min(i, j))
    kept: list[int] = []
    for j in range(number):
        if not set(kept).intersection(twins.get(j, ())):
            kept.append(j)
    return kept


def choose(characters: list[Character]) -> list[Character]:
    """The characters of the data set: no mere dots, and the first of every group of look-alikes over all scripts."""
    drawn = [(c, strokes(c.font, c.text)) for c in characters]
    drawn = [(c, path) for c, path in drawn if len(path) >= FEWEST]
    near = apart([path for _, path in drawn])
    kept = first_of_each(len(drawn), [pair for pair, (far, mean) in near.items() if far + 3 * mean < NEAR])
    drawn = [drawn[j] for j in kept]
    similar = np.argwhere(correlations([path for _, path in drawn]) > SIMILAR)
    kept = first_of_each(len(drawn), [(i, j) for i, j in similar.tolist() if i < j])
    scripts = list(dict.fromkeys(script for script, _, _ in SOURCES))
    distinct = (drawn[j][0] for j in kept)
    kept_by_eye = (c for c in distinct if unicodedata.name(c.text) not in ALIKE_BY_EYE)
    return sorted(kept_by_eye, key=lambda c: scripts.index(c.script))
