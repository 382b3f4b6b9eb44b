"""Which pictures of a folder belong to which class, and whether they come in splits."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mlcourse.datasets.identify import is_picture
from mlcourse.domains.names import class_key, listed, matched, quoted

LAYOUT = "PATH/class/image or PATH/group/class/image"
SPLITS = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "dev": "val",
          "eval": "val", "evaluation": "val", "test": "test", "testing": "test", "holdout": "test"}
NO_CLASS = {"images", "image", "imgs", "img", "pictures", "photos", "data", "unknown", "unlabeled", "unlabelled", "all",
            *SPLITS}
SYSTEM = {"__macosx", "@eadir", "$recycle.bin", "system volume information", "lost+found", "thumbs.db", "desktop.ini"}
DEEPEST = 7             # folders within folders
_APART = r"[\s_.()\[\]-]"
_PART = "|".join(SPLITS)
_ENDS = re.compile(rf"(?P<stem>.*(?!{_APART}).){_APART}+(?P<part>{_PART}){_APART}*", re.IGNORECASE)
_STARTS = re.compile(rf"{_APART}*(?P<part>{_PART}){_APART}+(?P<stem>(?!{_APART}).*)", re.IGNORECASE)

Classes = dict[str, list[Path]]


@dataclass
class Layout:
    """What a folder holds: the picture files of each class, the group of each class, and what there is to say."""

    classes: Classes = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    said: list[str] = field(default_factory=list)


@dataclass
class Folder:
    """A folder's own pictures, and the folders in it that hold pictures somewhere (`inner`) or nowhere (`bare`)."""

    path: Path
    pictures: list[Path] = field(default_factory=list)
    inner: list[Folder] = field(default_factory=list)
    bare: list[Folder] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Its name. Raises ValueError where that is not Unicode."""
        try:
            self.path.name.encode()
        except UnicodeEncodeError as error:
            raise ValueError(f"the name of the folder {ascii(str(self.path))} is not UTF-8; rename it") from error
        return self.path.name


def opened(folder: Folder, named: Collection[str] | None = None) -> Folder:
    """The folder, or the only folder of class folders in it, such as images/ of PATH/images/class; named: the names, in
    lower case, that this may have."""
    while len(folder.inner) == 1 and folder.inner[0].inner:
        only = folder.inner[0]
        if named is not None and only.name.casefold() not in named:
            break
        folder = Folder(only.path, folder.pictures + only.pictures, only.inner, only.bare)
    return folder


def read(path: Path) -> Layout:
    """The classes of the folder `path`, in order of their names, and their pictures in order of theirs.

    PATH/class/image; PATH/group/class/image, classes named "group/class"; either of them in a single folder; the
    pictures of a class in one more folder of the same name for every class, or in train, val and test; and
    PATH/train/class/image beside val or test (in any case; also training, valid, validation, dev, eval, evaluation,
    testing, holdout; or one of these words in names that are otherwise alike), or such a word at the end, or at the
    start, of every class's name, such as alpha_train and alpha_test. Where these have classes in common, they are one
    data set. Where the test classes stand in no other folder, the groups are "train", "val" and "test", the splits.
    What is no picture or lies in no class folder is left out and named.
    Raises ValueError for a folder without classes, a class without pictures, and pictures beside folders of pictures.
    """
    layout, passed = Layout(), []
    root = scan(path, passed)
    top = opened(root)
    if top.path != path:
        layout.said.append(f"the classes are the folders in {top.path.relative_to(path)}")
    parts = _parts(top)
    if parts:
        loose = _splits(top, parts, layout, path)
    else:
        layout.classes = _classes(top, layout, path)
        held = _by_part(layout)
        if held:
            _decide(list(held), _united(held, layout), layout)
        else:
            layout.groups = tuple(name.split("/")[0] for name in layout.classes)
        layout.said += _repeated(layout)
        loose = top.pictures
    relative = lambda files: listed(str(file.relative_to(path)) for file in files)
    if loose:
        layout.said.append(f"left out, in no class folder: {relative(loose)}")
    if passed:
        passed.sort(key=lambda file: (file.name.startswith("."), file))
        layout.said.append(f"passed over, no pictures or hidden: {relative(passed)}")
    return layout


def _repeated(layout: Layout) -> list[str]:
    """A sentence where classes of several groups bear the same name."""
    groups: dict[str, set[str]] = {}
    for name, group in zip(layout.classes, layout.groups, strict=True):
        groups.setdefault(class_key(name.partition("/")[2]), set()).add(group)
    several = {name: held for name, held in groups.items() if name and len(held) > 1}
    if not several:
        return []
    where = listed(sorted(set().union(*several.values())))
    return [f"{quoted(several)} in {where} count as classes of their own, one for each of these folders; where they "
            "are the same, put their pictures into one"]


def scan(path: Path, passed: list[Path], above: tuple[Path, ...] = ()) -> Folder:
    """The tree of pictures under a folder; `passed` collects what is hidden or no picture."""
    found, above = Folder(path), (*above, path.resolve())
    try:
        for entry in sorted(path.iterdir()):
            if entry.name.startswith(".") or entry.name.casefold() in SYSTEM:
                passed.append(entry)
            elif not entry.is_dir():
                (found.pictures if is_picture(entry) else passed).append(entry)
            elif entry.resolve() in above or len(above) > DEEPEST:
                passed.append(entry)
            else:
                inside: list[Path] = []
                sub = scan(entry, inside, above)
                holds = bool(sub.pictures or sub.inner)
                (found.inner if holds else found.bare).append(sub)
                passed += inside if holds else [entry]
    except OSError as error:
        raise ValueError(f"{error.filename or path} cannot be read ({error.strerror}); change its permissions or move "
                         "it away") from error
    return found


def _parts(top: Folder) -> list[Folder]:
    """The folders train, val and test, in this order, or of names that differ in such a word alone, such as
    training_set and test_set; none where the layout is another."""
    order = ("train", "val", "test")
    alike: dict[str, list[Folder]] = {}
    for folder in top.inner:
        if split_of(folder.name):
            alike.setdefault(_around(folder.name), []).append(folder)
    several = {rest: found for rest, found in alike.items() if len({split_of(folder.name) for folder in found}) > 1}
    if len(several) != 1:
        several = {rest: found for rest, found in several.items() if not rest}
    if not several:
        return []
    (rest, parts), = several.items()
    if rest and not all(folder.inner for folder in parts):
        return []
    parts.sort(key=lambda folder: order.index(split_of(folder.name)))
    if any(folder.inner for folder in parts):
        return parts
    if len(parts) == len(top.inner):
        raise ValueError(f"{listed(folder.name for folder in parts)} in {top.path} hold pictures, but no class folders;"
                         f" arrange them as {parts[0].path / 'class' / 'image'}")
    return []


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"[\W_]+|(?<=[^\W\d])(?=\d)", name.casefold()) if word]


def split_of(name: str) -> str:
    """The split that a folder's name names, by itself or as one word of several: "train", "val", "test", or ""."""
    found = [SPLITS[word] for word in _words(name) if word in SPLITS]
    return found[0] if len(found) == 1 else ""


def _around(name: str) -> str:
    """A folder's name without the word that names its split."""
    return " ".join(word for word in _words(name) if word not in SPLITS)


def _splits(top: Folder, parts: Sequence[Folder], layout: Layout, path: Path) -> list[Path]:
    """Fill the layout from the folders of splits; returns the pictures that have no class."""
    loose, held = list(top.pictures), {}
    for folder in parts:
        part = opened(folder, NO_CLASS)
        loose += part.pictures
        if part.inner:
            held[folder.name] = _classes(part, layout, path, may_lack=True)
    known = next(iter(held.values()), {})
    for name, classes in list(held.items())[1:]:
        if len(classes) == 1 and not set(classes) & set(known) and next(iter(classes)).casefold() in NO_CLASS:
            loose += held.pop(name).popitem()[1]
    stems = _stems({name for classes in held.values() for name in classes}, layout)
    if stems:
        held = {part: _joined((stems[name][0], files) for name, files in classes.items())
                for part, classes in held.items()}
    beside = [folder.name for folder in top.inner if folder not in parts]
    if beside:
        layout.said.append(f"left out, beside {listed(held)}: {listed(beside)}")
    where = _united(held, layout)
    if len(held) < 2:
        layout.said.append(f"the classes are those of {listed(held)}")
        layout.groups = tuple(name.split("/")[0] for name in layout.classes)
    else:
        _decide(list(held), where, layout)
    return loose


def _by_part(layout: Layout) -> dict[str, Classes]:
    """The classes of each of train, val and test, where that is the end, or the start, of all their names; else
    none."""
    stems = _stems(layout.classes, layout)
    return {part: _joined((stems[name][0], files) for name, files in layout.classes.items() if stems[name][1] == part)
            for part in ("train", "val", "test") if any(found == part for _, found in stems.values())}


def _stems(names: Collection[str], layout: Layout) -> dict[str, tuple[str, str]]:
    """Each class's name without the split that it ends, or starts, with, and that split, where all names do and one is
    left of two splits, which is said; else nothing."""
    for pattern in (_ENDS, _STARTS):
        found: dict[str, tuple[str, str]] = {}
        parts: dict[str, set[str]] = {}
        for name in sorted(names):
            head, slash, last = name.rpartition("/")
            if match := pattern.fullmatch(last):
                found[name] = head + slash + match["stem"], SPLITS[match["part"].casefold()]
                parts.setdefault(class_key(found[name][0]), set()).add(found[name][1])
        several = [name for name, (stem, _) in found.items() if len(parts[class_key(stem)]) > 1]
        if several and len(found) == len(names):
            stem, part = found[several[0]]
            layout.said.append(f"every class folder names a class and a part: '{several[0]}' is '{stem}' in {part}")
            return found
    return {}


def _joined(classes: Iterable[tuple[str, list[Path]]]) -> Classes:
    """The pictures of each name, from all that bear it."""
    found: Classes = {}
    for name, files in classes:
        found[name] = found.get(name, []) + files
    return found


def _united(held: dict[str, Classes], layout: Layout) -> dict[str, list[str]]:
    """Fill in the classes, each with its pictures from all folders; returns the folders that each class is in."""
    where: dict[str, list[str]] = {}
    files: Classes = {}
    spelt = []
    for part, classes in held.items():
        same = matched(list(classes), list(files), part, "the folders before it")
        spelt += [f"'{name}' in {part} is '{first}'" for name, first in same.items() if name != first]
        for name, pictures in classes.items():
            first = same.get(name, name)
            files[first] = files.get(first, []) + pictures
            where.setdefault(first, []).append(part)
    layout.classes = {name: files[name] for name in sorted(files)}
    if spelt:
        layout.said.append(f"the same class in another spelling: {listed(spelt)}")
    return where


def _decide(parts: list[str], where: dict[str, list[str]], layout: Layout) -> None:
    """Whether folders of splits hold splits of the classes, or pictures of one data set."""
    split = {part: split_of(part) for part in parts}
    first, last = split[parts[0]], split[parts[-1]]
    stands = {name: {split[part] for part in folders} for name, folders in where.items()}
    if all(last not in splits or splits == {last} for splits in stands.values()):
        role = {name: "test" if last in splits else "train" if first in splits else "val"
                for name, splits in stands.items()}
        layout.groups = tuple(role[name] for name in layout.classes)
        counts = listed(f"{layout.groups.count(name)} {what}" for name, what in (
            ("train", "training"), ("val", "validation"), ("test", "test")) if name in layout.groups)
        both = [name for name, splits in stands.items() if len(splits) > 1]
        also = f"; {quoted(both)} also in {listed(parts[1:-1])} count as training classes" if both else ""
        layout.said.append(f"{listed(parts)} are the splits, for no class of {parts[-1]} is in another of these "
                           f"folders: {counts} classes{also}")
        return
    layout.groups = tuple(name.split("/")[0] for name in layout.classes)
    some = [f"'{name}' in {listed(folders)} only" for name, folders in where.items() if len(folders) < len(parts)]
    which = (f"share classes, but not all ({listed(some)}): one data set of {len(where)} classes, each" if some else
             f"hold the same {len(where)} classes: one data set, each class")
    layout.said.append(f"{listed(parts)} {which} with its pictures from all these folders")


def _classes(top: Folder, layout: Layout, path: Path, may_lack: bool = False) -> Classes:
    """The pictures of every class in a folder of classes, or of groups of classes; may_lack: pass over empty
    folders."""
    found: Classes = {}
    within = _within(top.inner)
    if within:
        layout.said.append(f"the pictures of a class in {top.path.name} are those in {listed(within)} in its folder")
    for folder in top.inner:
        if folder.pictures or within:
            _check_alone(folder, path)
            found[folder.name] = [*folder.pictures, *(file for sub in folder.inner for file in sub.pictures)]
            continue
        for sub in folder.inner:
            _check_alone(sub, path)
            if not sub.pictures:
                raise ValueError(f"the pictures in {sub.path} lie too deep; arrange {path} as {LAYOUT}")
            found[f"{folder.name}/{sub.name}"] = sub.pictures
    empty = [*top.bare, *(bare for folder in top.inner if not folder.pictures for bare in folder.bare)]
    if empty and found and not may_lack:
        raise ValueError(f"the class folder {empty[0].path} holds no images; add some or remove it")
    return {name: found[name] for name in sorted(found)}


def _check_alone(folder: Folder, path: Path) -> None:
    if folder.pictures and folder.inner:
        raise ValueError(f"{folder.path} holds images beside folders of images; arrange {path} as {LAYOUT}")


def _within(folders: Sequence[Folder]) -> list[str]:
    """The folders that divide every class folder, where all class folders hold the same one, or train, val and test."""
    inner = [sub for folder in folders for sub in folder.inner]
    if len(folders) < 2 or any(folder.pictures for folder in folders) or any(sub.inner for sub in inner):
        return []
    names = sorted({sub.name for sub in inner})
    return names if len(names) == 1 or {name.casefold() for name in names} <= set(SPLITS) else []
