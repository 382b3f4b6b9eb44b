"""From any picture to the course's form: one channel, 28×28, ink high."""

from __future__ import annotations

import io
from collections import Counter
from functools import lru_cache

import numpy as np
from PIL import ExifTags, Image, ImageOps

SIDE = 28
LARGEST, LONGEST = 40_000_000, 20_000  # pixels in all, and along a side


def decode(data: bytes, name: str) -> tuple[Image.Image, tuple[int, int]]:
    """A picture file's bytes as a loaded image, and the file's own (width, height).

    A large JPEG is decoded at a reduced scale, never below four times the final side.
    Raises ValueError, naming the file, when the bytes are damaged, or hold (after that reduction) more than 40 million
    pixels or a side of more than 20,000.
    """
    try:
        image = Image.open(io.BytesIO(data))
        size = image.size
        image.draft(None, (4 * SIDE, 4 * SIDE))
        if image.width * image.height > LARGEST or max(image.size) > LONGEST:
            raise ValueError(f"it has {size[0]}×{size[1]} pixels, at most {LARGEST:,} and {LONGEST:,} a side are read")
        image.load()
        return image, size
    except Exception as error:  # decoders raise almost anything on damaged bytes
        raise ValueError(f"{name} is not a readable image ({error}); replace it or remove it") from error


def to_ink(image: Image.Image, done: Counter | None = None, *, invert: bool | None = None) -> np.ndarray:
    """An image of any mode and size as uint8 (28, 28), ink high.

    In this order: turned upright by its EXIF orientation; transparent parts laid on white, or on black where the
    opaque parts are bright; made grey; padded to a square with the median grey of its border; reduced by area averaging
    or enlarged bicubically; inverted when that border is bright (invert=None), always or never (True, False).
    done: counts the images to which each optional step was applied, by name.
    Raises ValueError for more than 16 bits a pixel and channel outside a known range.
    """
    done = Counter() if done is None else done
    done["turned upright"] += image.getexif().get(ExifTags.Base.Orientation, 1) != 1
    grey = np.asarray(_grey(ImageOps.exif_transpose(image), done))
    border = border_grey(grey)
    done["padded to a square"] += grey.shape[0] != grey.shape[1]
    done["resized"] += max(grey.shape) != SIDE
    small = reduce_area(grey, border) if max(grey.shape) >= SIDE else _enlarge(grey, border)
    if invert or (invert is None and border > 127):
        done["inverted"] += 1
        small = 255 - small
    return small


def reduce_area(grey: np.ndarray, ground: float = 0.0) -> np.ndarray:
    """Grey images (H, W), the longer side S ≥ 28, as uint8 (28, 28): every pixel the exact mean of the area it covers.

    The picture lies in the middle of a square of side S filled with `ground`, which is never made in memory.
    """
    side = max(grey.shape)
    rows, columns = (_area_weights(side)[:, (side - n) // 2:][:, :n] for n in grey.shape)
    return (rows @ (grey - np.float32(ground)) @ columns.T + ground).round().clip(0, 255).astype(np.uint8)


@lru_cache(maxsize=8)
def _area_weights(side: int) -> np.ndarray:
    """(28, side): row i holds the share of each of `side` pixels in the interval from i to i + 1 of 28."""
    edges = np.arange(SIDE + 1)[:, None] * (side / SIDE)
    pixel = np.arange(side)
    overlap = np.minimum(edges[1:], pixel + 1) - np.maximum(edges[:-1], pixel)
    return (overlap.clip(0) * (SIDE / side)).astype(np.float32)


def _enlarge(grey: np.ndarray, ground: float) -> np.ndarray:
    side = max(grey.shape)
    square = np.full((side, side), round(ground), np.uint8)
    top, left = ((side - n) // 2 for n in grey.shape)
    square[top:top + grey.shape[0], left:left + grey.shape[1]] = grey
    return np.asarray(Image.fromarray(square).resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def border_grey(grey: np.ndarray) -> float:
    """The median grey of the outermost pixels of images (…, H, W): what the ink is drawn on."""
    edges = (grey[..., 0, :], grey[..., -1, :], grey[..., :, 0], grey[..., :, -1])
    return float(np.median(np.concatenate([edge.ravel() for edge in edges])))


def _grey(image: Image.Image, done: Counter) -> Image.Image:
    """The image in mode "L"."""
    if image.mode.startswith(("I", "F")):
        done["scaled to 8 bits"] += 1
        return Image.fromarray(_eight_bits(np.asarray(image).astype(np.float32), image.mode == "F"))
    if image.has_transparency_data:
        done["laid on a plain ground"] += 1
        pixels = np.asarray(image.convert("RGBA").convert("LA"), dtype=np.float32)
        grey, alpha = pixels[..., 0], pixels[..., 1] / 255
        ground = 0 if alpha.any() and np.average(grey, weights=alpha) > 127 else 255
        return Image.fromarray((grey * alpha + ground * (1 - alpha)).round().astype(np.uint8))
    if image.mode != "L":
        done["made grey"] += 1
    return image.convert("L")


def _eight_bits(values: np.ndarray, is_float: bool) -> np.ndarray:
    """Values in 0..65535 as uint8; floats that end by 1 or by 255 are taken to have that as their highest value."""
    low, high = float(values.min()), float(values.max())
    if not 0 <= low <= high <= 65535:
        raise ValueError(f"its values lie in {low:g}..{high:g}, expected 0..1 or 0..65535; save it with 8 or 16 bits")
    top = next(top for top in ((1, 255, 65535) if is_float else (65535,)) if high <= top)
    return (values * (255 / top)).round().astype(np.uint8)
