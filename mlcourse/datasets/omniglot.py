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
from mlcourse.episode import Episode

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

    images: uint8 (M, C, S, S) in this form, reduced by area averaging from the 105×105 drawings, or enlarged; ordered by
    class, then drawer. Decoded once, then read from the user's cache.
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
                          f"105×105 drawings reduced to {side}×{side} by area averaging and inverted, so that ink is high"))


def _read(path: Path, side: int) -> dict[str, np.ndarray]:
    """images uint8 (20·C, side, side) and classes (C,), from the archive itself."""
    with _open(path) as archive:
        members = _index(archive, path)
        images = np.stack([_drawing(archive, members[key], path, side) for key in sorted(members)])
    return {"images": images, "classes": np.array(sorted({key[0] for key in members}))}


def _open(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise ValueError(f"{path} is not a readable zip archive ({error}); delete it and download it again") from error


def _index(archive: zipfile.ZipFile, path: Path) -> dict[tuple[str, str], str]:
    """The member of every (class, drawer), the layout checked."""
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


def _member(archive: zipfile.ZipFile, member: str, path: Path) -> bytes:
    try:
        if archive.getinfo(member).file_size > LARGEST_MEMBER:
            raise ValueError(f"it unpacks to more than {LARGEST_MEMBER:,} bytes")
        return archive.read(member)
    except Exception as error:  # a damaged member raises zlib, zip, key, struct and other errors
        raise ValueError(f"{path}: {member} cannot be unpacked ({error}); delete the archive and download "
                         f"it again") from error


def _drawing(archive: zipfile.ZipFile, member: str, path: Path, side: int = GREY.side) -> np.ndarray:
    """One drawing as uint8 (side, side), ink high, by area averaging."""
    image, size, _ = decode(_member(archive, member, path), f"{path}: {member}", side)
    if size != (FULL_SIDE, FULL_SIDE) or image.mode != "1":
        raise ValueError(f"{path}: {member} is {size[0]}×{size[1]} in mode {image.mode}, expected "
                         f"{FULL_SIDE}×{FULL_SIDE} in mode 1 (one bit a pixel)")
    return 255 - reduce_area(np.asarray(image.convert("L")), side=side)


def load_one_shot_runs(path=None, data_dir=None) -> list[Episode]:
    """The official one-shot classification runs as 20-way 1-shot episodes, one for each run in order.

    path: all_runs.zip; by default omniglot/all_runs.zip in the data directories. Its layout:
    runNN/training/classXX.png, runNN/test/itemXX.png, and runNN/class_labels.txt whose lines pair a test item with its
    training image. Support and query are (20, 1, 28, 28); label k stands for class k + 1 of the run, and the global id
    of label k in run r (from 0) is 20·r + k. Queries keep the order of the items.
    Raises DataError when the archive is in no data directory, and ValueError, naming the member, when anything is
    missing, damaged or inconsistent.
    """
    path = store.find(RUNS, data_dir) if path is None else Path(path)
    if path is None:
        raise store.missing(RUNS, "mlcourse data get omniglot-runs", data_dir)
    if not path.is_file():
        raise ValueError(f"{path} is not a file; give the path of Omniglot's all_runs.zip")
    with _open(path) as archive:
        names = set(archive.namelist())
        labels = sorted(m for m in names if re.fullmatch(r"(?:[^/]+/)?run\d\d/class_labels\.txt", m)
                        and not m.startswith("__MACOSX"))
        if not labels:
            raise ValueError(f"{path} holds no runNN/class_labels.txt; give the path of Omniglot's all_runs.zip")
        return [_run(archive, names, member, number, path) for number, member in enumerate(labels)]


def _run(archive: zipfile.ZipFile, names: set[str], labels: str, number: int, path: Path) -> Episode:
    root = labels.removesuffix("class_labels.txt")
    way = sum(bool(re.fullmatch(r"training/class\d\d\.png", name.removeprefix(root))) for name in names)
    items = [f"{root}test/item{i:02}.png" for i in range(1, way + 1)]
    classes = [f"{root}training/class{k:02}.png" for k in range(1, way + 1)]
    for member in classes + items:
        if member not in names:
            raise ValueError(f"{path}: {member} is missing; delete the archive and download it again")
    pairs = re.findall(r"^\S*test/item(\d\d)\.png\s+\S*training/class(\d\d)\.png\s*$",
                       _member(archive, labels, path).decode("ascii", "replace"), re.MULTILINE)
    answer = {int(item): int(label) for item, label in pairs}
    everyone = set(range(1, way + 1))
    if way < 2 or len(pairs) != way or set(answer) != everyone or set(answer.values()) != everyone:
        raise ValueError(f"{path}: {labels} must pair each of {way} test items with its own training image, "
                         f"but holds {len(pairs)} pairs that do not; delete the archive and download it again")

    def pixels(members):
        images = np.stack([_drawing(archive, member, path) for member in members])
        return torch.from_numpy(images)[:, None].float() / 255

    support = pixels(classes)
    return Episode(support, torch.arange(way), pixels(items), torch.tensor([answer[i] - 1 for i in sorted(answer)]),
                   support[:0], torch.arange(way) + way * number, torch.tensor(0))


SOURCE = Source("omniglot", "handwritten, 30 alphabets (background)", load_background, load_zip, "FILE.zip",
                files=(BACKGROUND,), remote=True, classes=964, images=19280, splits=SPLITS)
EVALUATION_SOURCE = Source("omniglot-evaluation", "handwritten, 20 more alphabets", load_evaluation,
                           files=(EVALUATION,), remote=True, classes=659, images=13180)
