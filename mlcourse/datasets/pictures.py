"""From any picture to the course's form: one channel, 28×28, ink high."""

from __future__ import annotations

import io
from collections import Counter
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from mlcourse.datasets.identify import formats, unread_format
from mlcourse.datasets.values import BYTES, to_bytes, value_range

SIDE = 28
LARGEST, LONGEST = 40_000_000, 20_000  # pixels in all, and along a side
UPRIGHT = {2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
           5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
           8: Image.Transpose.ROTATE_90}       # by the EXIF orientation


class Decoded(NamedTuple):
    """A loaded image, the file's own (width, height), and whether the file has further pages or frames."""

    image: Image.Image
    size: tuple[int, int]
    has_more: bool


def decode(data: bytes, name: str) -> Decoded:
    """A picture file's bytes as a loaded image: its first page or frame.

    A large JPEG is decoded at a reduced scale, never below four times the final side.
    Raises ValueError, naming the file, when the bytes are damaged or of a format that Pillow does not read here, or
    hold (after that reduction) more than 40 million pixels or a side of more than 20,000.
    """
    try:
        image = Image.open(io.BytesIO(data), formats=formats())
        size = image.size
        image.draft(None, (4 * SIDE, 4 * SIDE))
        if image.width * image.height > LARGEST or max(image.size) > LONGEST:
            raise ValueError(f"it has {size[0]}×{size[1]} pixels, at most {LARGEST:,} and {LONGEST:,} a side are read")
        if not all(size):
            raise ValueError(f"it has {size[0]}×{size[1]} pixels")
        has_more = image.format != "PSD" and bool(getattr(image, "is_animated", False))  # layers make one picture
        image.load()
        return Decoded(image, size, has_more)
    except UnidentifiedImageError as error:
        if kind := unread_format(data):
            raise ValueError(f"{name} is a picture of the format {kind}, which Pillow does not read here; save it as "
                             "PNG or JPEG, or remove it") from error
        what = "its content is of no known picture format" if data else "it is empty"
        raise ValueError(f"{name} is not a readable image ({what}); replace it or remove it") from error
    except Exception as error:  # decoders raise almost anything on damaged bytes
        raise ValueError(f"{name} is not a readable image ({error or type(error).__name__}); replace it or remove it"
                         ) from error


class Reduced(NamedTuple):
    """A picture at 28×28 in its own units, so that the range of a whole data set can be applied to it.

    values: float (28, 28). border: the median of the outermost pixels. low, high, dtype: of the picture's pixels.
    """

    values: np.ndarray
    border: float
    low: float
    high: float
    dtype: np.dtype


def to_ink(image: Image.Image, done: Counter | None = None, *, invert: bool | None = None) -> np.ndarray:
    """An image of any mode and size as uint8 (28, 28), ink high: `reduced`, then `ink` with the range of its values.

    done: counts the images to which each optional step was applied, by name. Raises ValueError as `reduced` does.
    """
    done = Counter() if done is None else done
    small = reduced(image, done)
    return ink(small, value_range(small.low, small.high, small.dtype), done, invert)


def reduced(image: Image.Image, done: Counter) -> Reduced:
    """An image of any mode and size at 28×28.

    In this order: turned upright by its EXIF orientation; transparent parts laid on white, or on black where the
    opaque parts are bright; made grey; `fitted`.
    Raises ValueError for values that are not finite; damaged EXIF data raise almost anything.
    """
    turn = UPRIGHT.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    if turn is not None:
        done["turned upright"] += 1
        image = image.transpose(turn)
    return fitted(_grey(image, done), done)


def fitted(grey: np.ndarray, done: Counter) -> Reduced:
    """Grey values (H, W), padded to a square with the median of the border, and reduced by area averaging or enlarged
    bicubically. Raises ValueError for values that are not finite."""
    low, high = float(grey.min()), float(grey.max())
    if not np.isfinite(low + high):
        raise ValueError("it holds values that are not finite; replace them")
    border = border_grey(grey)
    done["padded to a square"] += grey.shape[0] != grey.shape[1]
    done["resized"] += max(grey.shape) != SIDE
    values = _area_mean(grey, border) if max(grey.shape) >= SIDE else _enlarge(grey, border)
    return Reduced(values, border, low, high, grey.dtype)


def ink(small: Reduced, span: tuple[float, float], done: Counter, invert: bool | None = None) -> np.ndarray:
    """A picture as uint8 (28, 28), ink high: the range `span` becomes 0..255, and is inverted when the border is bright
    (invert=None), always or never (True, False)."""
    result = to_bytes(small.values, span)
    if invert or (invert is None and float(to_bytes(np.array(small.border), span)) > 127):
        done["inverted"] += 1
        return 255 - result
    return result


def reduce_area(grey: np.ndarray, ground: float = 0.0) -> np.ndarray:
    """Grey images (H, W), the longer side S ≥ 28, as uint8 (28, 28): every pixel the exact mean of the area it covers.

    The picture lies in the middle of a square of side S filled with `ground`, which is never made in memory.
    """
    return to_bytes(_area_mean(grey, ground), BYTES)


def _area_mean(grey: np.ndarray, ground: float) -> np.ndarray:
    side = max(grey.shape)
    rows, columns = (_area_weights(side)[:, (side - n) // 2:][:, :n] for n in grey.shape)
    above = grey - (np.float32(ground) if grey.dtype == np.uint8 else ground)
    return rows @ above @ columns.T + ground


@lru_cache(maxsize=8)
def _area_weights(side: int) -> np.ndarray:
    """(28, side): row i holds the share of each of `side` pixels in the interval from i to i + 1 of 28."""
    edges = np.arange(SIDE + 1)[:, None] * (side / SIDE)
    pixel = np.arange(side)
    overlap = np.minimum(edges[1:], pixel + 1) - np.maximum(edges[:-1], pixel)
    return (overlap.clip(0) * (SIDE / side)).astype(np.float32)


def _enlarge(grey: np.ndarray, ground: float) -> np.ndarray:
    side = max(grey.shape)
    square = np.zeros((side, side), np.float32)
    top, left = ((side - n) // 2 for n in grey.shape)
    square[top:top + grey.shape[0], left:left + grey.shape[1]] = grey - ground
    return np.asarray(Image.fromarray(square).resize((SIDE, SIDE), Image.Resampling.BICUBIC), np.float64) + ground


def border_grey(grey: np.ndarray) -> float:
    """The median grey of the outermost pixels of images (…, H, W): what the ink is drawn on."""
    edges = (grey[..., 0, :], grey[..., -1, :], grey[..., :, 0], grey[..., :, -1])
    return float(np.median(np.concatenate([edge.ravel() for edge in edges])))


def _grey(image: Image.Image, done: Counter) -> np.ndarray:
    """(H, W): bytes, or integers or float64 where the file has more than 8 bits."""
    if image.mode.startswith(("I", "F")):
        values = np.asarray(image)
        return values.astype(np.float64) if values.dtype.kind == "f" else values
    if image.mode in ("La", "HSV"):
        image = image.convert({"La": "LA", "HSV": "RGB"}[image.mode])
    if image.has_transparency_data:
        done["laid on a plain ground"] += 1
        pixels = np.asarray(image.convert("RGBA").convert("LA"), dtype=np.float32)
        grey, alpha = pixels[..., 0], pixels[..., 1] / 255
        ground = 0 if alpha.any() and np.average(grey, weights=alpha) > 127 else 255
        return (grey * alpha + ground * (1 - alpha)).round().astype(np.uint8)
    if image.mode != "L":
        done["made grey"] += 1
    if image.mode == "LAB":
        return np.asarray(image.getchannel("L"))
    return np.asarray(image.convert("L"))
