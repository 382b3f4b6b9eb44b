"""glyphs: characters of many scripts in 20 hands each, and typeset digits; the data set that comes with the course."""

from __future__ import annotations

import shlex
import zipfile
import zlib
from functools import lru_cache
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mlcourse.datasets import store
from mlcourse.datasets.form import Form
from mlcourse.datasets.frame import in_frame
from mlcourse.datasets.source import Source
from mlcourse.domains import Domain
from mlcourse.system import paths

SIDE = 28
HANDS = 20
FILE = "glyphs.npz"
DATA = paths.DATA

# The split by script. The digits stand in the test split, so that whoever learns on the training scripts and
# chooses on the validation scripts has seen no digit when typeset or handwritten digits are the target.
SPLITS: dict[str, tuple[str, ...]] = {
    "train": ("Latin", "Greek", "Cyrillic", "Canadian Syllabics", "Georgian Asomtavruli", "Georgian Nuskhuri",
              "Fraktur", "Mathematical Script", "Astrological", "Mathematical Operators"),
    "val": ("Armenian", "N'Ko", "Ogham", "Old Italic"),
    "test": ("Digits", "Hebrew", "Arabic", "Georgian Mkhedruli", "Lao", "Tifinagh"),
}

NOTE = "drawn from font outlines by 20 simulated hands, 28×28, 16 grey levels, ink high"
DIGITS_NOTE = "typeset digits, 20 renderings in each typeface, 28×28, 16 grey levels, ink high"
COMMAND = f"mlcourse data build glyphs --folder {shlex.quote(str(DATA))}"
REMEDY = f"make it again with `{COMMAND}`"


def pack(images: np.ndarray) -> np.ndarray:
    """uint8 images (M, 28, 28) as 16 grey levels, two pixels to a byte: uint8 (M, 392)."""
    grey = np.rint(images.reshape(len(images), -1) / 17).astype(np.uint8)
    return grey[:, ::2] << 4 | grey[:, 1::2]


def unpack(packed: np.ndarray) -> Tensor:
    """The inverse of `pack`: uint8 (M, 1, 28, 28), the levels 0, 17, …, 255."""
    grey = np.stack([packed >> 4, packed & 15], 2) * np.uint8(17)
    return torch.from_numpy(grey.reshape(len(packed), 1, SIDE, SIDE))


def read(path: str | Path | None = None) -> dict[str, np.ndarray]:
    """The arrays of the data file, checked. path: the file or its folder; None is the repository's data folder.

    Raises FileNotFoundError when there is no such file and ValueError when it is damaged.
    """
    path = Path(DATA if path is None else path)
    path = path / FILE if path.is_dir() else path
    if not path.exists():
        raise FileNotFoundError(f"there is no glyphs file {path}; {REMEDY}")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        check(arrays)
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile, zlib.error, AttributeError) as error:
        raise ValueError(f"{path} is damaged ({error}); {REMEDY}") from error
    return arrays


def check(arrays: dict[str, np.ndarray]) -> None:
    """Raises KeyError or ValueError when arrays are missing or do not fit together."""
    for prefix, owner in (("", "hands"), ("digit_", "digit_faces")):
        images, labels = arrays[prefix + "images"], arrays[prefix + "labels"]
        if images.dtype != np.uint8 or images.shape != (len(labels), SIDE * SIDE // 2):
            raise ValueError(f"{prefix}images has {images.dtype} of shape {images.shape} for {len(labels)} labels")
        if arrays[owner].shape != labels.shape or not len(labels):
            raise ValueError(f"{owner} has shape {arrays[owner].shape} for {len(labels)} labels")
    if arrays["classes"].shape != arrays["groups"].shape or arrays["labels"].max() >= len(arrays["classes"]):
        raise ValueError("classes, groups and labels do not fit together")
    if arrays["digit_labels"].max() > 9 or arrays["digit_faces"].max() >= len(arrays["faces"]):
        raise ValueError("digit labels and faces do not fit together")


def load(path: str | Path | None = None) -> Domain:
    """The characters: a Domain "glyphs" with one group per script and 20 drawings per class, hand 0 to 19 in order.

    path: the file or its folder; None is the repository's data folder. Raises as `read` does.
    """
    arrays = read(path)
    return Domain("glyphs", unpack(arrays["images"]), torch.from_numpy(arrays["labels"].astype(np.int64)),
                  tuple(arrays["classes"].tolist()), tuple(arrays["groups"].tolist()), NOTE)


def load_hands(path: str | Path | None = None) -> Tensor:
    """Which hand drew each image of `load`: int64 (M,), 0 to 19."""
    return torch.from_numpy(read(path)["hands"].astype(np.int64))


def digits(arrays: dict[str, np.ndarray], name: str, keep: np.ndarray) -> Domain:
    """The typeset digits that `keep` (M,) selects, as a Domain."""
    labels = torch.from_numpy(arrays["digit_labels"][keep].astype(np.int64))
    images = unpack(arrays["digit_images"][keep])
    return Domain(name, images, labels, tuple("0123456789"), ("Digits",) * 10, DIGITS_NOTE)


def load_digits(path: str | Path | None = None) -> Domain:
    """The typeset digits of all faces: a Domain "glyphs-digits" with the classes "0" to "9". Raises as `read` does."""
    arrays = read(path)
    return digits(arrays, "glyphs-digits", np.ones(len(arrays["digit_labels"]), bool))


def load_digits_by_face(path: str | Path | None = None) -> dict[str, Domain]:
    """The typeset digits of each typeface: {"DejaVu Sans": Domain, …}, same classes, named "glyphs-digits/FACE"."""
    arrays = read(path)
    return {face: digits(arrays, f"glyphs-digits/{face}", arrays["digit_faces"] == index)
            for index, face in enumerate(arrays["faces"].tolist())}


def load_digits_named_by_face(path: str | Path | None = None) -> Domain:
    """The pictures of `load_digits` in the same order with another label: their typeface, such as "STIX Italic"."""
    arrays = read(path)
    names = tuple(arrays["faces"].tolist())
    return Domain("glyphs-digits by face", unpack(arrays["digit_images"]),
                  torch.from_numpy(arrays["digit_faces"].astype(np.int64)), names, names, DIGITS_NOTE)


def typefaces(domain: Domain, least: int = 1) -> list[Domain]:
    """A domain of typeset digits by typeface, whatever frame or shift they went through; empty where a picture is none
    of them, or where a class has fewer than `least` pictures in a typeface or there is but one.
    """
    face_of, names = _faces()
    faces = [face_of.get(digest, -1) for digest in domain.digests.tolist()]
    parts = [replace(domain.take(torch.nonzero(torch.tensor(faces) == face)[:, 0]), name=f"{domain.name}/{names[face]}")
             for face in sorted(set(faces))]
    full = all(int(torch.bincount(part.labels, minlength=len(part.classes)).min()) >= least for part in parts)
    return parts if full and len(parts) > 1 and -1 not in faces else []


@lru_cache(maxsize=1)
def _faces() -> tuple[dict[int, int], tuple[str, ...]]:
    """The typeface of every typeset digit that comes with the course, by the picture's digest, and their names."""
    named = load_digits_named_by_face()
    return dict(zip(named.digests.tolist(), named.labels.tolist(), strict=True)), named.classes


def typeset(domain: Domain, form: Form) -> Domain:
    """Typeset digits as they are stored, in this form, in the frame or not."""
    return in_frame(domain, form, domain.images[:, 0].numpy().astype(np.float32))


GLYPHS = Source("glyphs", "characters of many scripts in 20 hands",
                lambda data_dir, form: form.of(load(store.find(FILE, data_dir))), files=(FILE,),
                made_by=COMMAND, splits=SPLITS)
TYPESET = Source("glyphs-digits", "typeset digits",
                 lambda data_dir, form: typeset(load_digits(store.find(FILE, data_dir)), form), files=(FILE,),
                 made_by=COMMAND, classes=10, framed=True)
