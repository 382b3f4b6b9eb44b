"""Makes the glyphs data file: draws every character in every hand, sets the digits, packs and writes."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path

import numpy as np

from mlcourse.datasets.glyphs.characters import Character, candidates, choose
from mlcourse.datasets.glyphs.drawing import SIDE, SUPER, draw, make_hand, outline, strokes
from mlcourse.datasets.glyphs.stored import FILE, HANDS, pack
from mlcourse.system.files import write_atomically

RENDERINGS = 20     # of every typeset digit in every face
TALL = 20.0         # the height of a typeset digit in pixels, before it varies

FACES: dict[str, str] = {
    "DejaVu Sans": "DejaVuSans.ttf",
    "DejaVu Sans Bold": "DejaVuSans-Bold.ttf",
    "DejaVu Sans Oblique": "DejaVuSans-Oblique.ttf",
    "DejaVu Sans Bold Oblique": "DejaVuSans-BoldOblique.ttf",
    "DejaVu Sans Mono": "DejaVuSansMono.ttf",
    "DejaVu Sans Mono Bold": "DejaVuSansMono-Bold.ttf",
    "DejaVu Sans Mono Oblique": "DejaVuSansMono-Oblique.ttf",
    "DejaVu Sans Mono Bold Oblique": "DejaVuSansMono-BoldOblique.ttf",
    "DejaVu Serif": "DejaVuSerif.ttf",
    "DejaVu Serif Bold": "DejaVuSerif-Bold.ttf",
    "DejaVu Serif Italic": "DejaVuSerif-Italic.ttf",
    "DejaVu Serif Bold Italic": "DejaVuSerif-BoldItalic.ttf",
    "STIX": "STIXGeneral.ttf",
    "STIX Bold": "STIXGeneralBol.ttf",
    "STIX Italic": "STIXGeneralItalic.ttf",
    "STIX Bold Italic": "STIXGeneralBolIta.ttf",
    "Computer Modern Roman": "cmr10.ttf",
    "Computer Modern Bold": "cmb10.ttf",
    "Computer Modern Italic": "cmti10.ttf",
    "Computer Modern Sans": "cmss10.ttf",
    "Computer Modern Typewriter": "cmtt10.ttf",
}


def drawings(character: Character) -> np.ndarray:
    """The character in every hand: uint8 (20, 28, 28)."""
    path = strokes(character.font, character.text)
    return np.stack([draw(path, make_hand(hand), np.random.default_rng([ord(character.text), hand]))
                     for hand in range(HANDS)])


def typeset(file: str, digit: int) -> np.ndarray:
    """A digit as a font sets it, in renderings that vary in size, place, slant and angle: uint8 (20, 28, 28)."""
    from scipy.ndimage import affine_transform, gaussian_filter

    ink = outline(file, str(digit))
    side = SIDE * SUPER
    pictures = []
    for rendering in range(RENDERINGS):
        rng = np.random.default_rng([zlib.crc32(file.encode()), digit, rendering])
        scale = ink.shape[0] / (TALL * SUPER * rng.uniform(0.85, 1.1))
        angle, slant = rng.normal(0, 0.04), rng.normal(0, 0.06)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        matrix = scale * turn @ np.array([[1, 0], [slant, 1]])
        centre = (np.array(ink.shape) - 1) / 2
        shift = rng.uniform(-1.2, 1.2, 2) * SUPER
        offset = centre - matrix @ ((side - 1) / 2 + shift)
        large = affine_transform(gaussian_filter(ink, scale / 3), matrix, offset, (side, side), order=1)
        pictures.append(large.reshape(SIDE, SUPER, SIDE, SUPER).mean((1, 3)))
    return np.rint(255 * np.clip(pictures, 0, 1)).astype(np.uint8)


def versions() -> list[str]:
    """The software that decides what a font's outline looks like, with its versions."""
    from matplotlib import __version__, ft2font

    return [f"matplotlib {__version__}", f"FreeType {ft2font.__freetype_version__}"]


def arrays(characters: list[Character], faces: dict[str, str]) -> dict[str, np.ndarray]:
    """What the data file holds, for these characters and typefaces."""
    from tqdm import tqdm

    images = np.concatenate([drawings(c) for c in tqdm(characters, "characters", unit="")])
    sets = np.concatenate([typeset(file, digit) for file in tqdm(faces.values(), "typefaces", unit="")
                           for digit in range(10)])
    return {
        "images": pack(images),
        "labels": np.repeat(np.arange(len(characters), dtype=np.uint16), HANDS),
        "hands": np.tile(np.arange(HANDS, dtype=np.uint8), len(characters)),
        "classes": np.array([c.name for c in characters]),
        "groups": np.array([c.script for c in characters]),
        "fonts": np.array([c.font for c in characters]),
        "digit_images": pack(sets),
        "digit_labels": np.tile(np.repeat(np.arange(10, dtype=np.uint8), RENDERINGS), len(faces)),
        "digit_faces": np.repeat(np.arange(len(faces), dtype=np.uint8), 10 * RENDERINGS),
        "faces": np.array(list(faces)),
        "made_with": np.array(versions()),
    }


def archive(content: dict[str, np.ndarray]) -> bytes:
    """An .npz file of the arrays, with fixed dates, so that the same arrays give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, array in content.items():
            entry = io.BytesIO()
            np.lib.format.write_array(entry, array, allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            info.create_system, info.external_attr = 3, 0o644 << 16
            file.writestr(info, entry.getvalue(), zipfile.ZIP_DEFLATED, 9)
    return buffer.getvalue()


def build(out: Path) -> Path:
    """Draws everything, and writes the data file, the card and its sheets into the folder `out`; returns the file."""
    from mlcourse.datasets.glyphs.card import card, sheets

    content = arrays(choose(candidates()), FACES)
    data = archive(content)
    write_atomically(out / FILE, data)
    for name, picture in sheets(content).items():
        write_atomically(out / name, picture)
    page = card(content, len(data)).encode()
    write_atomically(out / "glyphs.md", page)
    return out / FILE
