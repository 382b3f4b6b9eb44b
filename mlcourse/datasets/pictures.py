"""From any picture to the course's form: one channel, 28×28, ink high."""

from __future__ import annotations

import io
from collections import Counter
from functools import lru_cache

import numpy as np
from PIL import ExifTags, Image, ImageOps

SIDE = 28
LARGEST = 80_000_000  # pixels; a photo has 10 to 50 million


def decode(data: bytes, name: str) -> tuple[Image.Image, tuple[int, int]]:
    """A picture file's bytes as a loaded image, and the file's own (width, height).

    A large JPEG is decoded at a reduced scale, never below four times the final side.
    Raises ValueError, naming the file, when the bytes are damaged or hold more than 80 million pixels.
    """
    try:
        image = Image.open(io.BytesIO(data))
        size = image.size
        if size[0] * size[1] > LARGEST:
            raise ValueError(f"it has {size[0]}×{size[1]} pixels, at most {LARGEST:,} are read")
        image.draft(None, (4 * SIDE, 4 * SIDE))
        image.load()
        return image, size
    except Exception as error:  # decoders raise almost anything on damaged bytes
        raise ValueError(f"{name} is not a readable image ({error}); replace it or remove it") from error


def to_ink(image: Image.Image, done: Counter | None = None, *, invert: bool | None = None) -> np.ndarray:
    """An image of any mode and size as uint8 (28, 28), ink high.

    In this order: turned upright by its EXIF orientation; transparent parts laid on white, or on black where the
    opaque parts are bright; made grey; padded to a square with the median grey of its border; inverted when that
    border is bright (invert=None), always or never (True, False); reduced by area averaging or enlarged bicubically.
    done: counts the images to which each optional step was applied, by name.
    Raises ValueError for more than 16 bits a pixel and channel outside a known range.
    """
    done = Counter() if done is None else done
    done["turned upright"] += image.getexif().get(ExifTags.Base.Orientation, 1) != 1
    grey = _grey(ImageOps.exif_transpose(image), done)
    border = border_grey(np.asarray(grey))
    side = max(grey.size)
    if grey.width != grey.height:
        done["padded to a square"] += 1
        square = Image.new("L", (side, side), int(border))
        square.paste(grey, ((side - grey.width) // 2, (side - grey.height) // 2))
        grey = square
    if invert or (invert is None and border > 127):
        done["inverted"] += 1
        grey = ImageOps.invert(grey)
    if side != SIDE:
        done["resized"] += 1
        return reduce_area(np.asarray(grey)) if side > SIDE else np.asarray(
            grey.resize((SIDE, SIDE), Image.Resampling.BICUBIC))
    return np.asarray(grey)


def reduce_area(grey: np.ndarray) -> np.ndarray:
    """A square image (S, S), S ≥ 28, as uint8 (28, 28): every pixel is the exact mean over the area that it covers."""
    weights = _area_weights(len(grey))
    return (weights @ grey.astype(np.float32) @ weights.T).round().astype(np.uint8)


@lru_cache
def _area_weights(side: int) -> np.ndarray:
    """(28, side): row i holds the share of each of `side` pixels in the interval from i to i + 1 of 28."""
    edges = np.arange(SIDE + 1)[:, None] * (side / SIDE)
    pixel = np.arange(side)
    overlap = np.minimum(edges[1:], pixel + 1) - np.maximum(edges[:-1], pixel)
    return (overlap.clip(0) * (SIDE / side)).astype(np.float32)


def border_grey(grey: np.ndarray) -> float:
    """The median grey of the outermost pixels of images (…, H, W): what the ink is drawn on."""
    edges = (grey[..., 0, :], grey[..., -1, :], grey[..., :, 0], grey[..., :, -1])
    return float(np.median(np.concatenate([edge.ravel() for edge in edges])))


def _grey(image: Image.Image, done: Counter) -> Image.Image:
    """The image in mode "L"."""
    if image.mode.startswith(("I", "F")):
        done["scaled to 8 bits"] += 1
        return Image.fromarray(_eight_bits(np.asarray(image).astype(np.float64)))
    if image.has_transparency_data:
        done["laid on a plain ground"] += 1
        pixels = np.asarray(image.convert("RGBA").convert("LA"), dtype=np.float64)
        grey, alpha = pixels[..., 0], pixels[..., 1] / 255
        ground = 0 if alpha.any() and np.average(grey, weights=alpha) > 127 else 255
        return Image.fromarray((grey * alpha + ground * (1 - alpha)).round().astype(np.uint8))
    if image.mode != "L":
        done["made grey"] += 1
    return image.convert("L")


def _eight_bits(values: np.ndarray) -> np.ndarray:
    """Values in 0..1 (floats) or 0..65535 (16 bits) as uint8."""
    low, high = float(values.min()), float(values.max())
    if not 0 <= low <= high <= 65535:
        raise ValueError(f"its values lie in {low:g}..{high:g}, expected 0..1 or 0..65535; save it with 8 or 16 bits")
    is_fraction = high <= 1 and not np.array_equal(values, values.round())
    return (values * 255 if is_fraction else values / 257).round().astype(np.uint8)
