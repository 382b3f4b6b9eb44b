"""Omniglot: 1,623 handwritten characters of 50 alphabets, each drawn by 20 people.

Lake, Salakhutdinov and Tenenbaum, "Human-level concept learning through probabilistic program induction", Science 2015.
The official archives are read as they are, zipped: ALPHABET/characterNN/IIII_DD.png, 105×105, 1 bit, ink False.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import numpy as np
import torch

from mlcourse.datasets import store
from mlcourse.datasets.form import GREY, Form
from mlcourse.datasets.pictures import decode, reduce_area
from mlcourse.datasets.source import Source
from mlcourse.domains import Domain

PAGE = "https://github.com/brendenlake/omniglot"
UPSTREAM = f"{PAGE}/raw/master/python/"
BACKGROUND, EVALUATION = store.remote_files(UPSTREAM, PAGE, {
    "omniglot/images_background.zip": "md5:68d2efa1b9178cc56df9314c21c6e718",
    "omniglot/images_evaluation.zip": "md5:6b91aef0f799c5bb55b94e3f2daec811"})
RUNS, = store.remote_files(f"{UPSTREAM}one-shot-classification/", PAGE, {
    "omniglot/all_runs.zip": "md5:e8996daecdf12afeeb4a53a179f06b19"})
FULL_SIDE, DRAWERS, LARGEST_MEMBER = 105, 20, 1_000_000

# The 30 background alphabets, drawn once at random (numpy's default_rng(0)) and fixed here by name.
SPLITS = {
    "train": (
        "Alphabet_of_the_Magi", "Arcadian", "Armenian", "Asomtavruli_(Georgian)", "Bengali", "Braille",
        "Cyrillic", "Early_Aramaic", "Futurama", "Grantha", "Hebrew", "Japanese_(hiragana)",
        "Japanese_(katakana)", "Korean", "Latin", "Mkhedruli_(Georgian)",
        "Ojibwe_(Canadian_Aboriginal_Syllabics)", "Sanskrit", "Tagalog", "Tifinagh",
    ),
    "val": (
        "Balinese", "Blackfoot_(Canadian_Aboriginal_Syllabics)", "Greek",
        "Inuktitut_(Canadian_Aboriginal_Syllabics)", "Malay_(Jawi_-_Arabic)",
    ),
    "test": (
        "Anglo-Saxon_Futhorc", "Burmese_(Myanmar)", "Gujarati", "N_Ko", "Syriac_(Estrangelo)",
    ),
}

_DRAWING = re.compile(r"(?:[^/]+/)?([^/]+)/(character\d\d)/\d{4}_(\d\d)\.png")


def load_background(data_dir=None, form: Form = GREY) -> Domain:
    """The background set: 30 alphabets, 964 characters, 19,280 drawings, named "omniglot".

    Raises DataError when the archive is in no data directory, ValueError when its content is not the background set.
    """
    return _load_official(BACKGROUND, "omniglot", 30, 964, data_dir, form)


def load_evaluation(data_dir=None, form: Form = GREY) -> Domain:
    """The evaluation set: 20 other alphabets, 659 characters, 13,180 drawings, named "omniglot-evaluation".

    Raises DataError when the archive is in no data directory, ValueError when its content is not the evaluation set.
    """
    return _load_official(EVALUATION, "omniglot-evaluation", 20, 659, data_dir, form)


def _load_official(relative: str, name: str, alphabets: int, characters: int, data_dir, form: Form) -> Domain:
    path = store.find(relative, data_dir)
    if path is None:
        raise store.missing(relative, f"mlcourse data get {name}", data_dir)
    domain = load_zip(path, form, name)
    found = len(set(domain.groups)), len(domain.classes)
    if found != (alphabets, characters):
        raise ValueError(f"{path} holds {found[0]} alphabets with {found[1]} characters, expected {alphabets} with "
                         f"{characters}; replace it with the official archive, or load it as omniglot:{path}")
    return domain


def load_zip(path, form: Form = GREY, name: str | None = None) -> Domain:
    """Any archive in Omniglot's layout, whatever its alphabets; classes are "Alphabet/characterNN".

    images: uint8 (M, C, S, S) in this form, reduced by area averaging from the 105×105 drawings, or enlarged; ordered
    by class, then drawer. Decoded once, then read from the user's cache.
    Raises ValueError, naming the member, for a damaged archive or image, another layout or another size, and for a
    character that does not have the 20 drawers 01 to 20.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"{path} is not a file; give the path of an archive in Omniglot's layout")
    side = min(form.side, FULL_SIDE)
    arrays = store.cached(f"omniglot-area{side}-{store.file_digest(path)}", lambda: _read(path, side))
    classes = tuple(arrays["classes"].tolist())
    return form.of(Domain(name or f"omniglot:{path.stem}", torch.from_numpy(arrays["images"])[:, None],
                          torch.arange(len(classes)).repeat_interleave(DRAWERS), classes,
                          tuple(c.split("/")[0] for c in classes),
                          f"105×105 drawings reduced to {side}×{side} by area averaging and inverted, so that ink is "
                          "high"))


def _read(path: Path, side: int) -> dict[str, np.ndarray]:
    """images uint8 (20·C, side, side) and classes (C,), from the archive itself."""
    with open_archive(path) as archive:
        members = index(archive, path)
        images = np.stack([small(ink(archive, members[key], path), side) for key in sorted(members)])
    return {"images": images, "classes": np.array(sorted({key[0] for key in members}))}


def open_archive(path: Path) -> zipfile.ZipFile:
    """A zip archive. Raises ValueError where it is none."""
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise ValueError(f"{path} is not a readable zip archive ({error}); delete it and download it again") from error


def index(archive: zipfile.ZipFile, path: Path) -> dict[tuple[str, str], str]:
    """The member of every (class, drawer), the drawer as two digits; the layout is checked."""
    members: dict[tuple[str, str], str] = {}
    for member in archive.namelist():
        parts = member.split("/")
        if not member.endswith(".png") or parts[0] == "__MACOSX" or parts[-1].startswith("."):
            continue
        match = _DRAWING.fullmatch(member)
        if not match:
            raise ValueError(f"{path}: {member} does not fit Omniglot's layout ALPHABET/characterNN/IIII_DD.png")
        key = f"{match[1]}/{match[2]}", match[3]
        if key in members:
            raise ValueError(f"{path}: {member} and {members[key]} are the same character by the same drawer; "
                             f"remove one")
        members[key] = member
    if not members:
        raise ValueError(f"{path} holds no drawings in Omniglot's layout ALPHABET/characterNN/IIII_DD.png")
    expected = {f"{d:02}" for d in range(1, DRAWERS + 1)}
    drawers: dict[str, set[str]] = {}
    for character, drawer in members:
        drawers.setdefault(character, set()).add(drawer)
    for character, found in drawers.items():
        if found != expected:
            odd = ", ".join(sorted(found ^ expected))
            raise ValueError(f"{path}: {character} must have the {DRAWERS} drawers 01 to {DRAWERS}, "
                             f"but has {len(found)} (missing or unexpected: {odd}); delete the archive and "
                             f"download it again")
    return members


def member_of(archive: zipfile.ZipFile, member: str, path: Path) -> bytes:
    """The bytes of a member. Raises ValueError, naming it, where it cannot be unpacked or is too large."""
    try:
        if archive.getinfo(member).file_size > LARGEST_MEMBER:
            raise ValueError(f"it unpacks to more than {LARGEST_MEMBER:,} bytes")
        return archive.read(member)
    except Exception as error:  # a damaged member raises zlib, zip, key, struct and other errors
        raise ValueError(f"{path}: {member} cannot be unpacked ({error}); delete the archive and download "
                         f"it again") from error


def ink(archive: zipfile.ZipFile, member: str, path: Path) -> np.ndarray:
    """One drawing as it is: bool (105, 105), True where there is ink."""
    image, size, _ = decode(member_of(archive, member, path), f"{path}: {member}")
    if size != (FULL_SIDE, FULL_SIDE) or image.mode != "1":
        raise ValueError(f"{path}: {member} is {size[0]}×{size[1]} in mode {image.mode}, expected "
                         f"{FULL_SIDE}×{FULL_SIDE} in mode 1 (one bit a pixel)")
    return ~np.asarray(image)


def small(drawing: np.ndarray, side: int = GREY.side) -> np.ndarray:
    """A drawing's ink (105, 105) as uint8 (side, side), ink high, by area averaging."""
    return 255 - reduce_area(255 * (~drawing).astype(np.uint8), side=side)


SOURCE = Source("omniglot", "handwritten, 30 alphabets (background)", load_background, load_zip, "FILE.zip",
                files=(BACKGROUND,), remote=True, classes=964, images=19280, splits=SPLITS)
EVALUATION_SOURCE = Source("omniglot-evaluation", "handwritten, 20 more alphabets", load_evaluation,
                           files=(EVALUATION,), remote=True, classes=659, images=13180)
