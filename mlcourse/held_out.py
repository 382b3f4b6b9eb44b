"""Which part of a data set to evaluate on, so that no class of it was trained on, known by what the classes hold."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from mlcourse import datasets, division
from mlcourse.datasets import GREY, Form
from mlcourse.domains import Domain
from mlcourse.domains.identity import classes_among, named
from mlcourse.episode import Splits

UNKNOWN = "which classes were trained on is not recorded"


class Trained(NamedTuple):
    """What was trained on: the `digests` of the pictures, None where that is not known, and the classes' names."""

    pictures: Tensor | None
    classes: tuple[str, ...] = ()

    def among(self, domain: Domain) -> list[str]:
        """The classes of a domain that were trained on: see `classes_among`."""
        return [] if self.pictures is None else classes_among(domain, self.pictures, self.classes)


def part_of(spec: str, split: str | None, trained: Trained, way: int, data_dir=None, form: Form = GREY,
            by: str = "group") -> tuple[Domain, str, str]:
    """What of a data set to evaluate on, the name of its split, and what a reader of the number must know of it.

    split: "train", "val", "test" or "all", as they are. None: "test" where the data set has named splits or shares a
    picture with what was trained on, else "all", without the classes that were trained on. way: classes of an episode.
    form: of the pictures. by: how the training divided its classes (`division.divide`); after a cross-validation there
    is no test split.
    Raises ValueError for an unknown split, where too few classes are left, and where the split is to be chosen but is
    not known to be free of what was trained on.
    """
    if split not in (None, "all", *Splits._fields):
        raise ValueError(f"split must be one of train, val, test or all, got {split!r}")
    whole, has_splits = datasets.load(spec, data_dir, form), bool(datasets.named_splits(spec))
    if trained.pictures is None and split is None and not has_splits:
        raise ValueError(f"the card does not say which pictures were trained on, so those of {whole.name} may be among "
                         "them; name a split, as --split test, or train again")
    among = trained.among(whole)
    name = split or ("test" if has_splits or among and by != "none" else "all")
    try:
        by = "class" if among and by == "class" else "group"
        part = whole if name == "all" else getattr(division.split(whole, spec, by), name)
    except ValueError as error:
        if split or not among:
            raise
        raise ValueError(f"{seen_in(whole, among)}, and its {len(set(whole.groups))} groups are too few to split off a "
                         "test set; name a split, as --split all, to evaluate on it all the same") from error
    if trained.pictures is None:
        return part, name, UNKNOWN
    seen = [c for c in part.classes if c in among]
    if split is not None:
        return part, name, seen_in(part, seen)
    part, note = without(part, seen, way, "evaluate on other data, lower --way, or name a split, as --split all, to "
                                          "evaluate on them all the same")
    return part, name, note


def without(part: Domain, seen: list[str], way: int, remedy: str) -> tuple[Domain, str]:
    """A domain without the classes that were trained on, and a note that says so. Raises ValueError, which ends with
    the remedy, where fewer than `way` are left."""
    if not seen:
        return part, ""
    rest = [label for label, name in enumerate(part.classes) if name not in seen]
    if len(rest) < way:
        raise ValueError(f"{seen_in(part, seen)}, and an episode needs {way} others; {remedy}")
    return part.subset(rest), f"without {named(seen)}, trained on"


def seen_in(part: Domain, seen: list[str]) -> str:
    """How many classes of a domain were trained on, in words; "" for none."""
    if not seen:
        return ""
    were = "was" if len(seen) == 1 else "were"
    return f"{len(seen)} of the {len(part.classes)} classes of {part.name} {were} trained on"
