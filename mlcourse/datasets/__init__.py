"""Every data set of the course by name.

A spec is a name of NAMES, "omniglot:PATH.zip", "folder:PATH" or "array:FILE.npz", each optionally followed by a shift
"@kind=severity", such as "glyphs@rotation=0.5".
"""

from __future__ import annotations

import re

from mlcourse.datasets import store
from mlcourse.datasets.store import DataError
from mlcourse.domains import Domain
from mlcourse.episode import Splits, split_by_group, split_classes

__all__ = ["NAMES", "DataError", "available", "get", "load", "load_splits", "verify"]

NAMES = ("glyphs", "glyphs-digits", "digits", "omniglot", "omniglot-evaluation", "mnist")
_FILES = {
    "omniglot": ("omniglot/images_background.zip",),
    "omniglot-evaluation": ("omniglot/images_evaluation.zip",),
    "mnist": tuple(name for name in store.REMOTES if name.startswith("mnist/")),
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
        return glyphs.load(data_dir) if spec == "glyphs" else glyphs.load_digits(data_dir)
    if spec == "digits":
        from mlcourse.datasets import digits
        return digits.load()
    if spec == "mnist":
        from mlcourse.datasets import mnist
        return mnist.load(data_dir)
    raise ValueError(f"unknown data set {spec!r}; choose one of {', '.join(NAMES)}, omniglot:PATH.zip, folder:PATH "
                     f"or array:FILE.npz, each optionally followed by @kind=severity")


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
    from mlcourse.domains import shift_domain
    try:
        value = float(severity)
    except ValueError:
        raise ValueError(f"the severity of the shift {kind!r} must be a number in [0, 1], got {severity!r}; write for "
                         f"instance {domain.name}@{kind}=0.5") from None
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
    """One row for each of NAMES: name, about, where (a path, "built in", or None when absent) and get (a command)."""
    about = {
        "glyphs": "characters of many scripts, rendered from fonts, each in 20 hands",
        "glyphs-digits": "the digits 0 to 9 in every typeface of glyphs",
        "digits": "1,797 handwritten digits from scikit-learn",
        "omniglot": "964 handwritten characters of 30 alphabets, each by 20 people (the background set)",
        "omniglot-evaluation": "659 handwritten characters of 20 other alphabets (the evaluation set)",
        "mnist": "70,000 handwritten digits, or the 10,000 test digits alone",
    }
    return [{"name": name, "about": about[name], "where": _where(name, data_dir),
             "get": f"mlcourse data get {name}" if name in _FILES else None} for name in NAMES]


def _where(name: str, data_dir) -> str | None:
    if name not in _FILES:
        return "built in"
    if name == "mnist":
        from mlcourse.datasets import mnist
        path = mnist.find("t10k-images-idx3-ubyte", data_dir) or mnist.find("train-images-idx3-ubyte", data_dir)
    else:
        path = store.find(_FILES[name][0], data_dir)
    return str(path) if path else None


def verify(name: str, data_dir=None) -> str:
    """Read a whole data set, check its content, and say in one sentence what it holds. Raises what `load` raises."""
    domain = load(name, data_dir)
    return (f"{domain.name}: {len(domain.images):,} images of {len(domain.classes):,} classes in "
            f"{len(set(domain.groups)):,} groups, all readable ({domain.note})")


def get(name: str, data_dir=None) -> str:
    """Download a data set where it is not on this machine, check it, and say in one sentence what it holds.

    Raises DataError as `store.download` does, and ValueError for a name outside NAMES.
    """
    if name not in NAMES:
        raise ValueError(f"{name!r} is not a data set with a download; choose one of {', '.join(NAMES)}")
    for relative in _FILES.get(name, ()):
        if not store.find(relative, data_dir):
            store.download(relative, data_dir)
    return verify(name, data_dir)
