"""array:FILE.npz, images and labels of your own."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from mlcourse.datasets import values
from mlcourse.datasets.copies import without_copies
from mlcourse.datasets.form import GREY, Form
from mlcourse.datasets.pictures import border_grey, fitted, ink
from mlcourse.datasets.source import Source
from mlcourse.domains import Domain

LAYOUTS = "(M, H, W), (M, 1, H, W), (M, H, W, 3) or (M, 3, H, W)"


def load(path, form: Form = GREY) -> Domain:
    """The images of an .npz file as a domain named "array:STEM", in this form.

    images: numbers of any dtype and range (`values.value_range` of all of them together), of shape (M, H, W), (M, 1, H,
    W), (M, H, W, 3) or (M, 3, H, W). labels: (M,), integers or strings. classes (optional): (C,) names; integer labels
    are then indices into it. groups (optional): (C,), the group of each class, in the order of `classes`, or of the
    sorted labels where there are no classes; groups named train, val and test are the splits. All images are inverted
    together when the median of their borders is bright; colours stay as they are. Of equal pictures within a class the
    first is taken.
    Raises ValueError, in one sentence, for anything else. Nothing is unpickled.
    """
    path = Path(path)
    arrays = _read(path)
    pixels, ranges = _pixels(arrays["images"], form.colour, path)
    labels, classes = _labels(arrays["labels"], arrays.get("classes"), len(pixels), path)
    groups = arrays.get("groups", np.array(classes))
    if groups.shape != (len(classes),):
        raise ValueError(f"{path}: groups must have the shape ({len(classes)},), one for each class, "
                         f"got {groups.shape}")
    invert = not form.colour and border_grey(pixels) > 127
    done: Counter = Counter()
    images = np.stack([ink(fitted(image, done, form.side), values.BYTES, done, invert) for image in pixels])
    note = f"{len(images):,} images of {pixels.shape[1]}×{pixels.shape[2]}"
    note += (", colours as they are" if form.colour else ", all inverted because their border is bright" if invert else
             ", ink taken to be high")
    note += "".join(f", {what}" for what in ("padded to a square", "resized") if done[what])
    domain = Domain(f"array:{path.stem}", torch.from_numpy(images), torch.from_numpy(labels), classes,
                    tuple(map(str, groups.tolist())), "\n".join([note, *ranges]))
    return without_copies(domain, lambda i: f"images[{i}]")


def _read(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise ValueError(f"{path} is not a file; give the path of an .npz file with the arrays images and labels")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in ("images", "labels", "classes", "groups") if key in file.files}
    except Exception as error:  # a damaged file raises many kinds of error
        raise ValueError(f"{path} is not a readable .npz file of plain arrays ({error}); write it with numpy.savez, "
                         f"without object arrays") from error
    for key in ("images", "labels"):
        if key not in arrays:
            raise ValueError(f"{path} has no array named {key!r}; it needs images of shape {LAYOUTS} and labels (M,)")
    return arrays


def _pixels(images: np.ndarray, colour: bool, path: Path) -> tuple[np.ndarray, list[str]]:
    """uint8 (M, H, W), or (M, H, W, 3) in colour, and what is to be said of the range of the values."""
    if images.ndim == 4 and images.shape[1] == 1:
        images = images[:, 0]
    if images.ndim == 4 and images.shape[1] == 3 != images.shape[3]:
        images = images.transpose(0, 2, 3, 1)
    is_colour = images.ndim == 4 and images.shape[3] == 3
    if not (images.ndim == 3 or is_colour) or 0 in images.shape:
        raise ValueError(f"{path}: images must have the shape {LAYOUTS}, got {images.shape}")
    if images.dtype.kind not in "biuf":
        raise ValueError(f"{path}: images must be numbers, got {images.dtype}")
    low, high = float(images.min()), float(images.max())
    if not np.isfinite([low, high]).all():
        raise ValueError(f"{path}: images hold NaN or infinite values; every pixel must be a finite number, so replace "
                         "them")
    span, ranges = values.value_range(low, high, images.dtype), []
    if images.dtype != np.uint8 or span != values.BYTES:
        ranges = [values.said(f"the {images.dtype} values", low, high, span)]
        wide = images if images.dtype.itemsize > 2 and images.dtype.kind == "f" else images.astype(np.float64)
        images = values.to_bytes(wide, span)
    if is_colour and not colour:
        images = np.stack([np.asarray(Image.fromarray(np.ascontiguousarray(image)).convert("L")) for image in images])
    if colour and not is_colour:
        images = np.repeat(images[..., None], 3, axis=3)
    return images, ranges


def _labels(labels: np.ndarray, classes: np.ndarray | None, count: int, path: Path):
    """int64 labels (M,) and the class names."""
    if labels.shape != (count,):
        raise ValueError(f"{path}: labels must have the shape ({count},), one for each image, got {labels.shape}")
    if labels.dtype.kind not in "iuU":
        raise ValueError(f"{path}: labels must be integers or strings, got {labels.dtype}")
    if classes is None:
        names, index = np.unique(labels, return_inverse=True)
        return index.astype(np.int64), tuple(map(str, names.tolist()))
    if classes.ndim != 1 or classes.dtype.kind not in "iuU":
        raise ValueError(f"{path}: classes must be a list of names, got {classes.dtype} of shape {classes.shape}")
    names = tuple(map(str, classes.tolist()))
    if labels.dtype.kind == "U":
        unknown = sorted(set(labels.tolist()) - set(names))
        if unknown:
            raise ValueError(f"{path}: the label {unknown[0]!r} is not among the {len(names)} classes")
        labels = np.array([names.index(label) for label in labels.tolist()])
    elif labels.min() < 0 or labels.max() >= len(names):
        raise ValueError(f"{path}: integer labels must lie in 0..{len(names) - 1} for {len(names)} classes, "
                         f"got {labels.min()}..{labels.max()}")
    return labels.astype(np.int64), names


SOURCE = Source("array", "images and labels of your own in one file", from_path=load, path="FILE.npz")
