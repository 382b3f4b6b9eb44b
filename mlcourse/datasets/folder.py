"""folder:PATH, any folder of class-labelled images: photos of mixed sizes, modes and polarity are normal input."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from mlcourse.datasets import layout, values
from mlcourse.datasets.copies import without_copies
from mlcourse.datasets.form import GREY, Form
from mlcourse.datasets.pictures import Decoded, Reduced, decode, extents, ink, reduced
from mlcourse.datasets.source import Source
from mlcourse.domains import Domain
from mlcourse.domains.names import listed


def load(path, form: Form = GREY) -> Domain:
    """The images under a folder as a domain named "folder:NAME", in this form.

    The layouts are those of `layout.read`: PATH/class/image, where each class is a group of its own;
    PATH/group/class/image, where classes are named "group/class"; and either under train, val and test. Pictures are
    known by their content. Bytes, wider integers and floats are scaled by the range of all such values in the folder
    (`values.value_range`). Of equal pictures within a class the first is taken.
    images: uint8 (M, C, S, S), ordered by class, then file; `note` says what was done to how many and what is left
    out, a line for each kind.
    Raises ValueError, in one sentence, for a missing or empty folder, a single class, what `layout.read` refuses, and
    pictures that cannot be read.
    """
    path = Path(path).expanduser()
    if not path.is_dir():
        raise ValueError(f"{path} is not a folder; give a folder with the layout {layout.LAYOUT}")
    with warnings.catch_warnings(action="ignore"):      # of Pillow, about files that it could read all the same
        return _load(path, form)


def _load(path: Path, form: Form) -> Domain:
    found = layout.read(path)
    if not found.classes:
        raise ValueError(f"{path} holds no class folders with images; arrange it as {layout.LAYOUT}")
    if len(found.classes) < 2:
        raise ValueError(f"{path} holds one class, {next(iter(found.classes))!r}; at least two are needed, as "
                         f"{layout.LAYOUT}")
    files = [file for pictures in found.classes.values() for file in pictures]
    labels = torch.arange(len(found.classes)).repeat_interleave(torch.tensor([*map(len, found.classes.values())]))
    done: Counter = Counter()
    pictures, read = _read_all(files, form, done)
    images, ranges = _to_ink(pictures, done)
    more = [str(file.relative_to(path)) for file, decoded in zip(files, read, strict=True) if decoded.has_more]
    said = [_note([decoded.size for decoded in read], done), *ranges,
            *([f"of several pages or frames the first is taken: {listed(more)}"] if more else []), *found.said]
    domain = Domain(f"folder:{path.resolve().name}", torch.from_numpy(images), labels, tuple(found.classes),
                    found.groups, "\n".join(said))
    return without_copies(domain, lambda i: str(files[i].relative_to(path)))


def _read_all(files: Sequence[Path], form: Form, done: Counter) -> tuple[list[Reduced], list[Decoded]]:
    """Every picture in this form, and what its file holds, without the pixels. Raises ValueError that names the first
    file that cannot be read, and others like it."""
    pictures, read, failed = [], [], {}
    for file in files:
        try:
            decoded = decode(_bytes(file), str(file), form.side)
            pictures.append(_reduced(decoded, file, form, done))
            read.append(decoded._replace(image=None))
        except ValueError as error:
            failed[file] = error
    if failed:
        first, *others = failed
        also = f"; likewise {listed(map(str, others))}" if others else ""
        raise ValueError(f"{failed[first]}{also}") from failed[first]
    return pictures, read


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        if file.is_symlink() and not file.exists():
            raise ValueError(f"{file} is a link to a file that is not there; mend it or remove it") from error
        raise ValueError(f"{file} cannot be read ({error.strerror}); change its permissions or remove it") from error


def _reduced(decoded: Decoded, file: Path, form: Form, done: Counter) -> Reduced:
    try:
        return reduced(decoded.image, done, form.side, form.colour)
    except Exception as error:  # damaged EXIF data raise almost anything
        raise ValueError(f"{file} cannot be converted ({error or type(error).__name__}); save it anew or remove it"
                         ) from error


def _to_ink(pictures: Sequence[Reduced], done: Counter) -> tuple[np.ndarray, list[str]]:
    """uint8 (M, C, S, S), and a sentence for each kind of values whose range is not the usual one of bytes."""
    kinds = [values.kind_of(picture.dtype) for picture in pictures]
    spans, said = {}, []
    for kind, (low, high, dtype) in sorted(extents(pictures).items()):
        spans[kind] = values.value_range(low, high, dtype)
        if kind != "u1" or spans[kind] != values.BYTES:
            said.append(values.said(f"{values.KINDS[kind]} in {kinds.count(kind):,} images", low, high, spans[kind]))
    return np.stack([ink(picture, spans[kind], done) for picture, kind in zip(pictures, kinds, strict=True)]), said


def _note(sizes: list[tuple[int, int]], done: Counter) -> str:
    smallest, largest = (f"{w}×{h}" for w, h in (min(sizes, key=np.prod), max(sizes, key=np.prod)))
    extent = f"{smallest} pixels" if smallest == largest else f"{smallest} to {largest} pixels"
    steps = ", ".join(f"{done[what]:,} {what}" for what in (
        "turned upright", "laid on a plain ground", "made grey", "made red, green and blue", "padded to a square",
        "inverted", "resized")
        if done[what])
    why = " (their border is bright)" if done["inverted"] else ""
    return f"{len(sizes):,} images of {extent}: {steps.replace('inverted', 'inverted' + why) or 'used as they are'}"


SOURCE = Source("folder", "pictures of your own, a folder for each class", from_path=load, path="PATH")
