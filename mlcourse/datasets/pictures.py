"""From any picture to the course's form: a square, by default of 28×28 grey pixels with the ink high."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from PIL import ExifTags, Image, ImageCms, UnidentifiedImageError

from mlcourse.datasets.identify import formats, unread_format
from mlcourse.datasets.values import BYTES, kind_of, to_bytes, value_range

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


def decode(data: bytes, name: str, side: int = SIDE) -> Decoded:
    """A picture file's bytes as a loaded image: its first page or frame.

    A large JPEG is decoded at a reduced scale, never below four times the final `side`.
    Raises ValueError, naming the file, when the bytes are damaged or of a format that Pillow does not read here, or
    hold (after that reduction) more than 40 million pixels or a side of more than 20,000.
    """
    try:
        image = Image.open(io.BytesIO(data), formats=formats())
        size = image.size
        image.draft(None, (4 * side, 4 * side))
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
    """A picture at its final side S in its own units, so that the range of a whole data set can be applied to it.

    values: float (C, S, S), 1 channel in grey, 3 in colour. border: the median of each channel's outermost pixels,
    (C,). low, high, dtype: of the picture's pixels.
    """

    values: np.ndarray
    border: np.ndarray
    low: float
    high: float
    dtype: np.dtype


def to_ink(image: Image.Image, done: Counter | None = None, *, invert: bool | None = None) -> np.ndarray:
    """An image of any mode and size as uint8 (28, 28), ink high: `reduced`, then `ink` with the range of its values.

    done: counts the images to which each optional step was applied, by name. Raises ValueError as `reduced` does.
    """
    done = Counter() if done is None else done
    small = reduced(image, done)
    return ink(small, value_range(small.low, small.high, small.dtype), done, invert)[0]


def reduced(image: Image.Image, done: Counter, side: int = SIDE, colour: bool = False) -> Reduced:
    """An image of any mode and size at side×side.

    In this order: turned upright by its EXIF orientation; transparent parts laid on white, or on black where the
    opaque parts are bright; made grey, or in colour red, green and blue; `fitted`.
    Raises ValueError for values that are not finite; damaged EXIF data raise almost anything.
    """
    turn = UPRIGHT.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    if turn is not None:
        done["turned upright"] += 1
        image = image.transpose(turn)
    return fitted(_colours(image, done) if colour else _grey(image, done), done, side)


def fitted(pixels: np.ndarray, done: Counter, side: int = SIDE) -> Reduced:
    """Grey values (H, W), or colours (H, W, 3), padded to a square with the median of the border, and reduced by area
    averaging or enlarged bicubically. Raises ValueError for values that are not finite."""
    low, high = float(pixels.min()), float(pixels.max())
    if not np.isfinite(low + high):
        raise ValueError("it holds values that are not finite; replace them")
    channels = [pixels] if pixels.ndim == 2 else [np.ascontiguousarray(pixels[..., c]) for c in range(pixels.shape[2])]
    borders = [border_grey(channel) for channel in channels]
    height, width = pixels.shape[:2]
    done["padded to a square"] += height != width
    done["resized"] += max(height, width) != side
    fit = _area_mean if max(height, width) >= side else _enlarge
    values = np.stack([fit(channel, border, side) for channel, border in zip(channels, borders, strict=True)])
    return Reduced(values, np.array(borders), low, high, pixels.dtype)


def ink(small: Reduced, span: tuple[float, float], done: Counter, invert: bool | None = None) -> np.ndarray:
    """A picture as uint8 (C, S, S): the range `span` becomes 0..255. In grey the ink is high: it is inverted when the
    border is bright (invert=None), always or never (True, False). Colours stay as they are."""
    result = to_bytes(small.values, span)
    if len(result) == 1 and (invert or invert is None and to_bytes(small.border, span)[0] > 127):
        done["inverted"] += 1
        return 255 - result
    return result


def extents(pictures: Iterable[Reduced]) -> dict[str, tuple[float, float, np.dtype]]:
    """The lowest and the highest value of the pictures of each kind of values (`values.kind_of`), and a dtype of
    theirs."""
    found: dict[str, tuple[float, float, np.dtype]] = {}
    for each in pictures:
        low, high, dtype = found.get(kind_of(each.dtype), (each.low, each.high, each.dtype))
        found[kind_of(each.dtype)] = min(low, each.low), max(high, each.high), dtype
    return found


def reduce_area(grey: np.ndarray, ground: float = 0.0, side: int = SIDE) -> np.ndarray:
    """Grey images (H, W), the longer side S ≥ `side`, as uint8 (side, side): every pixel the exact mean of the area it
    covers.

    The picture lies in the middle of a square of side S filled with `ground`, which is never made in memory.
    """
    return to_bytes(_area_mean(grey, ground, side), BYTES)


def _area_mean(grey: np.ndarray, ground: float, to: int) -> np.ndarray:
    side = max(grey.shape)
    rows, columns = (area_weights(side, to)[:, (side - n) // 2:][:, :n] for n in grey.shape)
    above = grey - (np.float32(ground) if grey.dtype == np.uint8 else ground)
    return rows @ above @ columns.T + ground


@lru_cache(maxsize=8)
def area_weights(side: int, to: int) -> np.ndarray:
    """(to, side): row i holds the share of each of `side` pixels in the interval from i to i + 1 of `to` ≤ side."""
    edges = np.arange(to + 1)[:, None] * (side / to)
    pixel = np.arange(side)
    overlap = np.minimum(edges[1:], pixel + 1) - np.maximum(edges[:-1], pixel)
    return (overlap.clip(0) * (to / side)).astype(np.float32)


def _enlarge(grey: np.ndarray, ground: float, to: int) -> np.ndarray:
    side = max(grey.shape)
    square = np.zeros((side, side), np.float32)
    top, left = ((side - n) // 2 for n in grey.shape)
    square[top:top + grey.shape[0], left:left + grey.shape[1]] = grey - ground
    return np.asarray(Image.fromarray(square).resize((to, to), Image.Resampling.BICUBIC), np.float64) + ground


def border_grey(grey: np.ndarray) -> float:
    """The median grey of the outermost pixels of images (…, H, W): what the ink is drawn on."""
    edges = (grey[..., 0, :], grey[..., -1, :], grey[..., :, 0], grey[..., :, -1])
    return float(np.median(np.concatenate([edge.ravel() for edge in edges])))


def _grey(image: Image.Image, done: Counter) -> np.ndarray:
    """(H, W): bytes, or integers or float64 where the file has more than 8 bits."""
    if image.mode.startswith(("I", "F")):
        values = np.asarray(image)
        return values.astype(np.float64) if values.dtype.kind == "f" else values
    image = _common(image)
    if image.has_transparency_data:
        return _on_ground(np.asarray(image.convert("RGBA").convert("LA"), dtype=np.float32), done)[..., 0]
    if image.mode != "L":
        done["made grey"] += 1
    if image.mode == "LAB":
        return np.asarray(image.getchannel("L"))
    return np.asarray(image.convert("L"))


def _colours(image: Image.Image, done: Counter) -> np.ndarray:
    """(H, W, 3), red, green and blue: bytes, or three times the grey of a file with more than 8 bits."""
    if image.mode.startswith(("I", "F")):
        return np.repeat(_grey(image, done)[..., None], 3, axis=2)
    image = _common(image)
    if image.has_transparency_data:
        return _on_ground(np.asarray(image.convert("RGBA"), dtype=np.float32), done)
    if image.mode != "RGB":
        done["made red, green and blue"] += 1
    if image.mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        image = ImageCms.applyTransform(image, ImageCms.buildTransform(lab, srgb, "LAB", "RGB"))
    return np.asarray(image.convert("RGB"))


def _common(image: Image.Image) -> Image.Image:
    """The image in a mode that Pillow converts to every other."""
    return image.convert({"La": "LA", "HSV": "RGB"}[image.mode]) if image.mode in ("La", "HSV") else image


def _on_ground(pixels: np.ndarray, done: Counter) -> np.ndarray:
    """Pixels (H, W, C + 1) whose last channel is their opacity, laid on white, or on black where the opaque parts are
    bright: bytes (H, W, C)."""
    done["laid on a plain ground"] += 1
    shades, alpha = pixels[..., :-1], pixels[..., -1:] / 255
    bright = alpha.any() and np.average(shades.mean(2), weights=alpha[..., 0]) > 127
    return (shades * alpha + (0 if bright else 255) * (1 - alpha)).round().astype(np.uint8)
