"""How a character is drawn: its strokes from a font, and the hands that write it.

A font gives an outline. Its skeleton is the path of a pen, and a hand moves that path (slant, width,
rotation, a smooth deformation) and follows it with a pen of its own. So the 20 drawings of a character
differ as the drawings of 20 people do, while every hand writes all characters in one style.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

SIDE = 28
EM = 150        # pixels per em at which fonts are read
SUPER = 4       # drawings are made at 4 times the final resolution, then averaged over areas
BOX = 21.0      # the longer side of a character in final pixels, before a hand changes it


@lru_cache(maxsize=None)
def open_font(file: str):
    """A font among those that matplotlib ships, by file name."""
    import matplotlib
    from matplotlib.ft2font import FT2Font

    font = FT2Font(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / file))
    font.set_size(EM, 72)
    return font


@lru_cache(maxsize=None)
def character_map(file: str) -> frozenset[int]:
    """The code points that a font can draw; any other would come out as an empty box."""
    return frozenset(open_font(file).get_charmap())


def outline(file: str, character: str) -> np.ndarray:
    """The character as the font draws it: float64 (h, w) in [0, 1], ink high, cut to its bounding box.

    Raises ValueError when the font lacks the character or draws nothing.
    """
    from matplotlib.ft2font import LoadFlags

    if ord(character) not in character_map(file):
        raise ValueError(f"{file} has no character U+{ord(character):04X}; choose a font whose character map holds it")
    font = open_font(file)
    font.clear()
    glyph = font.load_char(ord(character), flags=LoadFlags.NO_HINTING)
    canvas = np.zeros((3 * EM, 4 * EM), np.uint8)
    font.draw_glyph_to_bitmap(canvas, EM, EM // 2, glyph)
    rows, columns = canvas.any(1).nonzero()[0], canvas.any(0).nonzero()[0]
    if not len(rows):
        raise ValueError(f"{file} draws nothing for U+{ord(character):04X}; leave the character out")
    return canvas[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1] / 255


def thin(ink: np.ndarray) -> np.ndarray:
    """The skeleton of a binary picture, one pixel wide (Zhang and Suen 1984)."""
    ink = np.pad(ink, 1).astype(bool)
    steps = ((1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1))  # north, north-east, …
    quiet = 0
    for turn in range(10_000):
        p = [np.roll(ink, step, (0, 1)) for step in steps]
        count = sum(q.astype(np.int8) for q in p)
        starts = sum((~p[i] & p[(i + 1) % 8]).astype(np.int8) for i in range(8))
        n, e, s, w = p[::2]
        free = ~(n & e & s) & ~(e & s & w) if turn % 2 == 0 else ~(n & e & w) & ~(n & s & w)
        gone = ink & (count >= 2) & (count <= 6) & (starts == 1) & free
        ink &= ~gone
        quiet = 0 if gone.any() else quiet + 1
        if quiet == 2:
            return ink[1:-1, 1:-1]


def neighbours(lines: np.ndarray) -> np.ndarray:
    """How many of the eight neighbours of every pixel are set."""
    from scipy.ndimage import convolve

    return convolve(lines.astype(np.int8), np.ones((3, 3), np.int8), mode="constant") - lines


def prune(lines: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """Removes the short side branches that thinning leaves at corners.

    Such a branch runs into the corner, so the distance to the background falls along it; in a real
    stroke, however short, it stays near half the stroke width. depth: that distance, for every pixel.
    """
    lines = lines.copy()
    half = np.median(depth[lines]) if lines.any() else 0.0
    for row, column in np.argwhere(lines & (neighbours(lines) == 1)):
        branch, here = [], (row, column)
        while True:
            branch.append(here)
            window = [(here[0] + i, here[1] + j) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j]
            ahead = [q for q in window if 0 <= q[0] < lines.shape[0] and 0 <= q[1] < lines.shape[1]
                     and lines[q] and q not in branch[-3:]]
            if len(ahead) != 1:
                break
            here = ahead[0]
        tip = [depth[pixel] for pixel in branch[:max(1, len(branch) // 2)]]
        if len(ahead) > 1 and len(branch) < 2 * half and np.mean(tip) < 0.65 * half:
            for pixel in branch[:-1]:
                lines[pixel] = False
    return lines


def strokes(file: str, character: str) -> np.ndarray:
    """The path of the pen through a character: float64 (P, 2) points (x right, y down).

    The bounding box of the font's drawing is centred on 0, and its longer side is 1.
    """
    from scipy.ndimage import distance_transform_edt, gaussian_filter, label

    ink = np.pad(outline(file, character), 4)
    ink = gaussian_filter(ink, 1.0) > 0.5
    depth = distance_transform_edt(ink)
    lines = thin(prune(thin(ink), depth))
    parts, number = label(ink, np.ones((3, 3)))
    for part in range(1, number + 1):
        if not lines[parts == part].any():
            row, column = np.argwhere(parts == part).mean(0).round().astype(int)
            lines[row, column] = True
    points = np.argwhere(lines)[:, ::-1].astype(float)
    height, width = ink.shape
    return (points - [(width - 1) / 2, (height - 1) / 2]) / (max(height, width) - 8)


@dataclass(frozen=True)
class Hand:
    """The style of one writer, shared by all the characters it writes. Lengths are in final pixels.

    field: two (G, G) grids, the smooth displacement of x and of y over the square of side 1.6 around the character.
    loose: how far single drawings of the hand stray from its style (1 is average).
    """

    slant: float
    width: float
    angle: float
    size: float
    pen: float
    nib: float
    nib_angle: float
    round: float
    loose: float
    field: np.ndarray


def make_hand(seed: int) -> Hand:
    """The writer with this seed."""
    rng = np.random.default_rng([2015, seed])
    return Hand(
        slant=float(np.clip(rng.normal(0.06, 0.2), -0.3, 0.45)),
        width=float(np.exp(rng.uniform(-0.26, 0.22))),
        angle=float(np.clip(rng.normal(0, 0.07), -0.15, 0.15)),
        size=float(rng.uniform(0.86, 1.06)),
        pen=float(rng.uniform(1.3, 2.3)),
        nib=float(rng.choice([0, 0, 0.8, 1.2])),
        nib_angle=float(rng.uniform(-1.0, 0.2)),
        round=float(rng.uniform(1.0, 6.0)),
        loose=float(rng.uniform(0.7, 1.3)),
        field=rng.normal(0, 1.0, (2, 4, 4)),
    )


def displacement(field: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The displacement (P, 2) of points (P, 2) by a (2, G, G) grid over [-0.8, 0.8]², cubically interpolated."""
    from scipy.ndimage import map_coordinates

    place = (np.clip(points[:, ::-1], -0.8, 0.8) / 1.6 + 0.5).T * (field.shape[1] - 1)
    return np.stack([map_coordinates(part, place, order=3, mode="nearest") for part in field], 1)


def smooth(points: np.ndarray, radius: float) -> np.ndarray:
    """Every point replaced by the mean of the points within a radius: rounds corners as a quick pen does."""
    from scipy.spatial import cKDTree

    near = cKDTree(points).query_pairs(radius, output_type="ndarray")
    total, count = points.copy(), np.ones(len(points))
    for a, b in (near.T, near.T[::-1]):
        np.add.at(total, a, points[b])
        np.add.at(count, a, 1)
    return total / count[:, None]


def ink_along(points: np.ndarray, pen: float, nib: float = 0.0, nib_angle: float = 0.0) -> np.ndarray:
    """A pen of diameter `pen` led along points (P, 2) in final pixels: float64 (28, 28) in [0, 1].

    A nib is a pen with a straight edge of that length, held at an angle: thick strokes one way, thin the other.
    """
    from scipy.ndimage import distance_transform_edt

    if nib:
        edge = np.array([np.cos(nib_angle), np.sin(nib_angle)]) * nib
        points = np.concatenate([points + t * edge for t in np.linspace(-0.5, 0.5, 7)])
    side = SIDE * SUPER
    x, y = np.clip(np.rint(points * SUPER + (side - 1) / 2).astype(int), 0, side - 1).T
    path = np.ones((side, side), bool)
    path[y, x] = False
    ink = np.clip(pen * SUPER / 2 - distance_transform_edt(path) + 0.5, 0, 1)
    return ink.reshape(SIDE, SUPER, SIDE, SUPER).mean((1, 3))


def spacing(points: np.ndarray) -> float:
    """How far neighbouring strokes of a path (P, 2) lie apart on average: the area of its box over its length."""
    area = np.prod(np.maximum(np.ptp(points, 0), 8.0))
    return float(area / (0.5 * len(np.unique(np.rint(2 * points), axis=0))))


def draw(path: np.ndarray, hand: Hand, rng: np.random.Generator) -> np.ndarray:
    """One drawing of a path (P, 2) of unit size by a hand: uint8 (28, 28), ink high, centred on its box."""
    slip = rng.normal(0, 1, 4) * hand.loose
    angle = hand.angle + 0.03 * slip[0]
    slant = hand.slant + 0.05 * slip[1]
    width = hand.width * np.exp(0.05 * slip[2])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shape = turn @ np.array([[width, -slant], [0, 1]])
    own = rng.normal(0, 0.65 * hand.loose, (2, 4, 4))
    points = smooth(path, hand.round / 100)
    points = points @ shape.T * BOX + displacement(hand.field + own, points)
    pen = min(hand.pen, 0.55 * spacing(points))
    points -= (points.max(0) + points.min(0)) / 2
    room = SIDE / 2 - 0.75 - (pen + hand.nib) / 2    # how far from the middle the path may reach
    points *= min(hand.size * np.exp(0.04 * slip[3]), room / np.abs(points).max())
    margin = room - np.abs(points).max(0)
    points += np.clip(rng.normal(0, 0.5, 2), -margin, margin)
    return np.rint(255 * ink_along(points, pen, hand.nib * pen / hand.pen, hand.nib_angle)).astype(np.uint8)
