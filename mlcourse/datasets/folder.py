"""folder:PATH, any folder of class-labelled images: photos of mixed sizes, modes and polarity are normal input."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import torch

from mlcourse.datasets.pictures import decode, to_ink
from mlcourse.datasets.source import Source
from mlcourse.domains import Domain

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm", ".pbm", ".pnm"}
LAYOUT = "PATH/class/image or PATH/group/class/image"


def load(path) -> Domain:
    """The images under a folder as a domain named "folder:NAME".

    Layout: PATH/class/image, where each class is a group of its own, or PATH/group/class/image, where classes are
    named "group/class". Files whose names begin with a dot are skipped, and so are files that are not images.
    images: uint8 (M, 1, 28, 28), ordered by class, then file name; `note` says what was done to how many.
    Raises ValueError, in one sentence, for a missing or empty folder, a single class, a class without images, a
    mixture of the two layouts inside one folder, and a damaged image.
    """
    path = Path(path).expanduser()
    if not path.is_dir():
        raise ValueError(f"{path} is not a folder; give a folder with the layout {LAYOUT}")
    found = _classes(path)
    if not found:
        raise ValueError(f"{path} holds no class folders with images; arrange it as {LAYOUT}")
    if len(found) < 2:
        raise ValueError(f"{path} holds one class, {next(iter(found))!r}; at least two are needed, as {LAYOUT}")
    images, labels, done, sizes = [], [], Counter(), []
    for label, files in enumerate(found.values()):
        for file in files:
            picture, size = decode(_bytes(file), str(file))
            sizes.append(size)
            images.append(_ink(picture, file, done))
            labels.append(label)
    return Domain(f"folder:{path.resolve().name}", torch.from_numpy(np.stack(images))[:, None], torch.tensor(labels),
                  tuple(found), tuple(name.split("/")[0] for name in found), _note(sizes, done))


def _classes(path: Path) -> dict[str, list[Path]]:
    """The image files of every class, by class name."""
    found: dict[str, list[Path]] = {}
    for folder in _folders(path):
        files, inner = _images(folder), _folders(folder)
        if files and any(_images(sub) for sub in inner):
            raise ValueError(f"{folder} holds images beside folders of images; arrange {path} as {LAYOUT}")
        if files:
            found[folder.name] = files
        for sub in () if files else inner:
            found[f"{folder.name}/{sub.name}"] = _images(sub)
        if not files and not inner:
            found[folder.name] = []
    for name, files in found.items():
        if not files:
            raise ValueError(f"the class folder {path / name} holds no images; add some or remove it")
    return found


def _folders(path: Path) -> list[Path]:
    return sorted(p for p in path.iterdir() if p.is_dir() and not p.name.startswith((".", "__MACOSX")))


def _images(path: Path) -> list[Path]:
    return sorted(p for p in path.iterdir()
                  if p.suffix.lower() in SUFFIXES and not p.name.startswith(".") and p.is_file())


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ValueError(f"{file} cannot be read ({error.strerror}); change its permissions or remove it") from error


def _ink(picture, file: Path, done: Counter) -> np.ndarray:
    try:
        return to_ink(picture, done)
    except (ValueError, OSError) as error:
        raise ValueError(f"{file} cannot be converted ({error})") from error


def _note(sizes: list[tuple[int, int]], done: Counter) -> str:
    smallest, largest = (f"{w}×{h}" for w, h in (min(sizes, key=np.prod), max(sizes, key=np.prod)))
    extent = f"{smallest} pixels" if smallest == largest else f"{smallest} to {largest} pixels"
    steps = ", ".join(f"{done[what]:,} {what}" for what in (
        "turned upright", "scaled to 8 bits", "laid on a plain ground", "made grey", "padded to a square", "inverted",
        "resized") if done[what])
    why = " (their border is bright)" if done["inverted"] else ""
    return f"{len(sizes):,} images of {extent}: {steps.replace('inverted', 'inverted' + why) or 'used as they are'}"


SOURCE = Source("folder", "pictures of your own, a folder for each class", from_path=load, path="PATH")
