"""Every data set of the course by name.

A spec is a name of NAMES, "glyphs-digits/TYPEFACE", "omniglot:PATH.zip", "folder:PATH" or "array:FILE.npz", each
optionally followed by a shift "@kind=severity", such as "glyphs@rotation=0.5".
"""

from __future__ import annotations

import re
from pathlib import Path

from mlcourse.datasets import store
from mlcourse.datasets.store import DataError
from mlcourse.domains import Domain
from mlcourse.episode import Splits, split_by_group, split_classes

__all__ = ["NAMES", "DataError", "available", "get", "load", "load_splits", "verify"]

NAMES = ("glyphs", "glyphs-digits", "digits", "omniglot", "omniglot-evaluation", "mnist")
_FILES = {
    "omniglot": ("omniglot/images_background.zip",),
    "omniglot-evaluation": ("omniglot/images_evaluation.zip",),
    "omniglot-runs": ("omniglot/all_runs.zip",),
    "mnist": tuple(name for name in store.REMOTES if name.startswith("mnist/")),
}
_ABOUT = {  # in words, classes, images; the glyphs are counted in their file
    "glyphs": ("characters of many scripts in 20 hands", None, None),
    "glyphs-digits": ("typeset digits", 10, None),
    "digits": ("handwritten digits (UCI)", 10, 1797),
    "omniglot": ("handwritten, 30 alphabets (background)", 964, 19280),
    "omniglot-evaluation": ("handwritten, 20 more alphabets", 659, 13180),
    "mnist": ("handwritten digits, training and test", 10, 70000),
}
_SHIFT = re.compile(r"(.+)@(\w+)=([^@/\\]*)")


def load(spec: str, data_dir=None) -> Domain:
    """The domain that a spec names, images uint8 (M, 1, 28, 28), ink high; `note` says what was done to them.

    Raises ValueError for an unknown name or shift and for damaged data, DataError for data that are not here.
    """
    shifted = _SHIFT.fullmatch(spec)
    if shifted:
        return _shift(load(shifted[1], data_dir), *shifted.groups()[1:])
    kind, _, path = spec.partition(":")
    if kind in ("omniglot", "folder", "array") and path:
        return _load_path(kind, path)
    if spec == "omniglot":
        from mlcourse.datasets import omniglot
        return omniglot.load_background(data_dir)
    if spec == "omniglot-evaluation":
        from mlcourse.datasets import omniglot
        return omniglot.load_evaluation(data_dir)
    if spec in ("glyphs", "glyphs-digits"):
        from mlcourse.datasets import glyphs
        path = store.find(glyphs.FILE, data_dir)
        return glyphs.load(path) if spec == "glyphs" else glyphs.load_digits(path)
    if spec.startswith("glyphs-digits/"):
        return _face(spec.removeprefix("glyphs-digits/"), data_dir)
    if spec == "digits":
        from mlcourse.datasets import digits
        return digits.load()
    if spec == "mnist":
        from mlcourse.datasets import mnist
        return mnist.load(data_dir)
    raise ValueError(f"unknown data set {spec!r}; choose one of {', '.join(NAMES)}, omniglot:PATH.zip, folder:PATH "
                     f"or array:FILE.npz, each optionally followed by @kind=severity")


def _face(face: str, data_dir) -> Domain:
    from mlcourse.datasets import glyphs
    faces = glyphs.load_digits_by_face(store.find(glyphs.FILE, data_dir))
    if face not in faces:
        raise ValueError(f"unknown typeface {face!r}; the typeset digits come in {', '.join(faces)}")
    return faces[face]


def _load_path(kind: str, path: str) -> Domain:
    if kind == "omniglot":
        from mlcourse.datasets import omniglot
        return omniglot.load_zip(path)
    if kind == "folder":
        from mlcourse.datasets import folder
        return folder.load(path)
    from mlcourse.datasets import array
    return array.load(path)


def _shift(domain: Domain, kind: str, severity: str) -> Domain:
    try:
        value = float(severity)
    except ValueError:
        raise ValueError(f"the severity of the shift {kind!r} must be a number in [0, 1], got {severity!r}; write for "
                         f"instance {domain.name}@{kind}=0.5") from None
    from mlcourse.domains import shift_domain
    return shift_domain(domain, kind, value)


def load_splits(spec: str, data_dir=None) -> Splits:
    """Train, validation and test domains that share no class.

    glyphs and omniglot are split by their named scripts and alphabets, anything else by `split_classes`.
    Raises what `load` raises, and ValueError for a domain with fewer than three groups.
    """
    domain = load(spec, data_dir)
    name = spec.partition("@")[0]
    if name == "omniglot":
        from mlcourse.datasets.omniglot import SPLITS
        return split_by_group(domain, **SPLITS)
    if name == "glyphs":
        from mlcourse.datasets.glyphs import SPLITS
        return split_by_group(domain, **SPLITS)
    return split_classes(domain)


def available(data_dir=None) -> list[dict]:
    """One row for each of NAMES: name, about, classes, images, present, and where (or the command that gets it)."""
    rows = []
    for name in NAMES:
        about, classes, images = _ABOUT[name]
        where = _where(name, data_dir)
        if where and images is None:
            classes, images = _count(name, data_dir)
        command = f"mlcourse data get {name}" if name in _FILES else "mlcourse data build glyphs"
        rows.append({"name": name, "about": about, "classes": classes, "images": images,
                     "present": where is not None, "where": where or command})
    return rows


def _where(name: str, data_dir) -> str | None:
    if name == "digits":
        return "scikit-learn"
    found = [_find(relative, data_dir) for relative in _FILES.get(name, ("glyphs.npz",))]
    return next((str(path) for path in found if path), None)


def _count(name: str, data_dir) -> tuple[int | None, int | None]:
    """Classes and images of a data set as it lies here; None and None when it is damaged, which `verify` explains."""
    try:
        domain = load(name, data_dir)
    except ValueError:
        return None, None
    return len(domain.classes), len(domain.images)


def _find(relative: str, data_dir):
    return store.find(relative, data_dir) or store.find(relative.removesuffix(".gz"), data_dir)


def verify(name: str, data_dir=None) -> str:
    """Read a whole data set, check its content, and say in one sentence what it holds. Raises what `load` raises."""
    domain = load(name, data_dir)
    return (f"{domain.name}: {len(domain.images):,} images of {len(domain.classes):,} classes in "
            f"{len(set(domain.groups)):,} groups, all readable ({domain.note})")


def get(name: str, data_dir=None) -> list[Path]:
    """The files of a data set, downloaded where they are not on this machine, their content checked.

    Raises DataError as `store.download` does, and ValueError for a name without a download and for damaged files.
    """
    if name not in _FILES:
        raise ValueError(f"{name!r} has no download; {', '.join(_FILES)} have one; glyphs, glyphs-digits and "
                         f"digits come with the course")
    files = [_present(relative, data_dir) or store.download(relative, data_dir) for relative in _FILES[name]]
    if name == "omniglot-runs":
        from mlcourse.datasets import omniglot
        omniglot.load_one_shot_runs(files[0])
    else:
        load(name, data_dir)
    return files


def _present(relative: str, data_dir):
    """Like `_find`, but a data directory that does not exist yet holds nothing: a download makes it."""
    return _find(relative, data_dir) if all(map(Path.is_dir, store.chosen(data_dir))) else None
