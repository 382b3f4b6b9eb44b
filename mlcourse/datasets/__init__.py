"""Every data set of the course by name.

A spec is a name of NAMES, "glyphs-digits/TYPEFACE", "omniglot:PATH.zip", "folder:PATH" or "array:FILE.npz", each
optionally followed by shifts "@kind=severity", such as "glyphs@rotation=0.5". "digits", "glyphs-digits" and "mnist"
stand in one frame (`datasets.frame`); as "digits@unframed" they come as they are.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePath
from typing import NamedTuple

from mlcourse.datasets import array, digits, folder, glyphs, mnist, omniglot, one_shot_runs, store, words
from mlcourse.datasets.form import GREY, Form
from mlcourse.datasets.frame import UNFRAMED
from mlcourse.datasets.source import Source
from mlcourse.datasets.store import DataError
from mlcourse.domains import Domain, shift_domain
from mlcourse.episode import Splits, split_by_group, split_classes

__all__ = ["GREY", "NAMES", "SOURCES", "DataError", "Form", "available", "downloads", "get", "load", "load_splits",
           "parse", "sequence_of", "specs", "split", "verify"]

SOURCES = (glyphs.GLYPHS, glyphs.TYPESET, digits.SOURCE, omniglot.SOURCE, omniglot.EVALUATION_SOURCE, mnist.SOURCE,
           words.SOURCE, folder.SOURCE, array.SOURCE)
NAMES = tuple(source.name for source in SOURCES if source.load)
FRAMED = tuple(source.name for source in SOURCES if source.framed)
_BY_NAME = {source.name: source for source in SOURCES}
_SHIFT = re.compile(r"(.+)@(\w+)=([^@/\\]*)")


class Spec(NamedTuple):
    """A spec taken apart: the data set's name, its path ("" without one), its shifts in order, (kind, severity), and
    whether its digits are left as they come."""

    name: str
    path: str
    shifts: tuple[tuple[str, str], ...]
    unframed: bool = False

    @property
    def unplaced(self) -> str:
        """The spec without its path, severities in their shortest form: what stays when the data lie elsewhere."""
        shifts = "".join(f"@{kind}={float(severity):g}" for kind, severity in self.shifts)
        return self.name + UNFRAMED * self.unframed + shifts

    @property
    def tidy(self) -> str:
        """The spec with its path written in one way: without "./" before it, and a slash after it."""
        path = f":{PurePath(self.path).as_posix()}" if self.path else ""
        return self.name + path + UNFRAMED * self.unframed + "".join(f"@{kind}={by}" for kind, by in self.shifts)


def parse(spec: str) -> Spec:
    """The parts of a spec, none of which is checked."""
    shifts: list[tuple[str, str]] = []
    while shifted := _SHIFT.fullmatch(spec):
        spec = shifted[1]
        shifts.insert(0, (shifted[2], shifted[3]))
    unframed = spec.endswith(UNFRAMED) and ":" not in spec
    name, _, path = spec.removesuffix(UNFRAMED * unframed).partition(":")
    return Spec(name, path, tuple(shifts), unframed)


def load(spec: str, data_dir=None, form: Form = GREY) -> Domain:
    """The domain that a spec names, images uint8 (M, C, S, S) in this form, or sequences; `note` says what was done to
    them.

    form: `Form(side, colour, framed)`; by default 28×28 grey pixels with the ink high, digits in their frame.
    Raises ValueError for an unknown name or shift, for "@unframed" of data without a frame and for damaged data,
    DataError for data that are not here.
    """
    form.check()
    name, path, shifts, unframed = parse(spec)
    if unframed:
        if name.partition("/")[0] in _BY_NAME and name.partition("/")[0] not in FRAMED:
            raise ValueError(f"{name} comes as it is in any case; leave {UNFRAMED} out, which only {', '.join(FRAMED)} "
                             "know")
        form = form._replace(framed=False)
    domain = _unshifted(name, path, data_dir, form)
    for kind, severity in shifts:
        domain = _shift(domain, kind, severity)
    return domain


def _unshifted(name: str, path: str, data_dir, form: Form) -> Domain:
    source = _BY_NAME.get(name)
    if source and path and source.from_path:
        return source.from_path(path, form)
    if source and not path and source.load:
        return source.load(data_dir, form)
    if name.startswith("glyphs-digits/") and not path:
        return glyphs.typeset(_face(name.removeprefix("glyphs-digits/"), data_dir), form)
    raise ValueError(f"unknown data set {f'{name}:{path}' if path else name!r}; choose one of {', '.join(specs())}, "
                     "each optionally followed by @kind=severity")


def specs() -> list[str]:
    """The ways to name a domain, without shifts."""
    return [spec for source in SOURCES for spec in source.specs]


def _face(face: str, data_dir) -> Domain:
    faces = glyphs.load_digits_by_face(store.find(glyphs.FILE, data_dir))
    if face not in faces:
        raise ValueError(f"unknown typeface {face!r}; the typeset digits come in {', '.join(faces)}")
    return faces[face]


def _shift(domain: Domain, kind: str, severity: str) -> Domain:
    try:
        value = float(severity)
    except ValueError:
        raise ValueError(f"the severity of the shift {kind!r} must be a number in [0, 1], got {severity!r}; write for "
                         f"instance {domain.name}@{kind}=0.5") from None
    return shift_domain(domain, kind, value)


def load_splits(spec: str, data_dir=None, form: Form = GREY) -> Splits:
    """Train, validation and test domains that share no class: the `split` of the domain that a spec names."""
    return split(load(spec, data_dir, form), spec)


def split(domain: Domain, spec: str) -> Splits:
    """A spec's domain in train, validation and test domains that share no class.

    glyphs and omniglot are split by their named scripts and alphabets, anything else by `split_classes`.
    Raises ValueError for a domain with fewer than three groups.
    """
    return split_by_group(domain, **named_splits(spec)) if named_splits(spec) else split_classes(domain)


def named_splits(spec: str) -> dict[str, tuple[str, ...]]:
    """The groups of train, val and test of a data set with splits of its own; else nothing."""
    name, path, *_ = parse(spec)
    source = _BY_NAME.get(name)
    return dict(source.splits) if source and source.splits and not path else {}


def sequence_of(spec: str) -> tuple[int, int] | None:
    """(L, A), the shape of a sample, of a data set of sequences; None for pictures, and for what is no data set."""
    source = _BY_NAME.get(parse(spec).name)
    return source.sequence if source else None


def available(data_dir=None) -> list[dict]:
    """One row for each of NAMES: name, about, classes, images, present, and where (or what gets it)."""
    rows = []
    for source in (source for source in SOURCES if source.load):
        where, classes, images = _where(source, data_dir), source.classes, source.images
        if where and images is None:
            classes, images = _count(source.name, data_dir)
        rows.append({"name": source.name, "about": source.about, "classes": classes, "images": images,
                     "present": where is not None, "where": where or source.remedy})
    return rows


def _where(source: Source, data_dir) -> str | None:
    found = [_find(relative, data_dir) for relative in source.files]
    return source.place or next((str(path) for path in found if path), None)


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
    what = "sequences" if domain.sequences else "images"
    return (f"{domain.name}: {len(domain.images):,} {what} of {len(domain.classes):,} classes in "
            f"{len(set(domain.groups)):,} groups, all readable ({domain.note.replace(chr(10), '; ')})")


def get(name: str, data_dir=None) -> list[Path]:
    """The files of a data set, downloaded where they are not on this machine, their content checked.

    Raises DataError as `store.download` does, and ValueError for a name without a download and for damaged files.
    """
    if name not in downloads():
        here = ", ".join(source.name for source in SOURCES if source.load and not source.remote)
        raise ValueError(f"{name!r} has no download; {', '.join(downloads())} have one; {here} come with the course")
    needed = (omniglot.RUNS,) if name == one_shot_runs.NAME else _BY_NAME[name].files
    files = [_present(relative, data_dir) or store.download(relative, data_dir) for relative in needed]
    if name == one_shot_runs.NAME:
        one_shot_runs.read(files[0])
    else:
        load(name, data_dir)
    return files


def downloads() -> list[str]:
    """The names that `get` takes."""
    return [source.name for source in SOURCES if source.remote] + [one_shot_runs.NAME]


def _present(relative: str, data_dir):
    """Like `_find`, but a data directory that does not exist yet holds nothing: a download makes it."""
    return _find(relative, data_dir) if all(map(Path.is_dir, store.chosen(data_dir))) else None
