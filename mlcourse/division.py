"""How the classes of a data set are divided for training and for the reported test."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import torch

from mlcourse import datasets
from mlcourse.domains import Domain
from mlcourse.episode import Splits, are_splits, split_classes

WAYS = ("group", "class", "none")
MOST_FOLDS = 5


class Fold(NamedTuple):
    """The classes to train on and those to test on, which share none, and what is to be said of the test."""

    train: Domain
    test: Domain
    note: str = ""


class Division(NamedTuple):
    """by: "group", "class" or "none". parts: what the checkpoint is trained on, and with it the other splits where
    there are any. folds: one where a test split is held out; several for cross-validation, where every class is tested
    on once.
    said: in a sentence, why it is so; "" where it is as asked, or as the data set says."""

    by: str
    parts: dict[str, Domain]
    folds: tuple[Fold, ...]
    said: str = ""


def divide(domain: Domain, spec: str, way: int, by: str | None = None) -> Division:
    """Divide a domain so that training and test can both fill episodes of `way` classes.

    by: "group" holds out whole groups (alphabets, scripts, folders of class folders), "class" single classes, 60 / 20 /
    20 per cent for training, validation and test; "none" holds out nothing: as many folds as can fill an episode, at
    most 5, for a cross-validation. None takes the splits that the data set has or else the first of these three that
    can.
    Raises ValueError, which says what each split has, where `by` cannot, and where nothing can.
    """
    check(by)
    if way < 2:
        raise ValueError(f"way must be at least 2, got {way}")
    if by == "none":
        return _crossed(domain, way)
    said = ""
    for how in (by,) if by else ("group", "class"):
        try:
            parts = split(domain, spec, how)
            lacking = _lacking(parts, way)
        except ValueError as error:
            lacking = str(error)
        if not lacking:
            return Division(how, parts._asdict(), (Fold(parts.train, parts.test),), said
                            and f"{said}, so it is split by {how}")
        if by or has_splits(domain, spec):
            raise ValueError(f"{lacking}; ask for a smaller --way, or divide the classes otherwise with --split-by")
        said = lacking
    crossed = _crossed(domain, way)
    return crossed._replace(said=f"{said}, so the number is cross-validated: {crossed.said}")


def check(by: str | None) -> None:
    """Raises ValueError unless `by` is None or one of WAYS."""
    if by not in (None, *WAYS):
        raise ValueError(f"split-by must be one of {', '.join(WAYS)}, got {by!r}")


def split(domain: Domain, spec: str, by: str) -> Splits:
    """Train, validation and test classes by whole groups, or by single classes. Raises as `datasets.split` does."""
    if by == "group":
        return datasets.split(domain, spec)
    parts = split_classes(replace(domain, groups=domain.classes))
    groups = dict(zip(domain.classes, domain.groups, strict=True))
    return Splits(*(replace(part, groups=tuple(groups[c] for c in part.classes)) for part in parts))


def has_splits(domain: Domain, spec: str) -> bool:
    """Whether a data set says itself which classes are for training and which for the test."""
    return bool(datasets.named_splits(spec)) or are_splits(domain.groups)


def _lacking(parts: Splits, way: int) -> str:
    """In a clause, the split that has too few classes for an episode; "" for none."""
    least = min((parts.test, parts.train), key=lambda part: len(part.classes))
    if len(least.classes) >= way:
        return ""
    return f"way {way} needs {way} classes in training and in the test, but {least.name} has {len(least.classes)}"


def _crossed(domain: Domain, way: int) -> Division:
    """As many folds of classes as can fill an episode, dealt in seeded order."""
    count = len(domain.classes)
    folds = min(MOST_FOLDS, count // way)
    if folds < 2:
        lower = f", or lower --way to at most {count // 2}" if count >= 4 else ""
        raise ValueError(f"{domain.name} has {count} classes, but training and test need {way} each; add "
                         f"classes{lower}")
    order = torch.randperm(count, generator=torch.Generator().manual_seed(0)).tolist()
    dealt = [sorted(order[i::folds]) for i in range(folds)]
    name = lambda part: f"{domain.name}/{part}"
    parts = tuple(Fold(domain.subset([c for c in range(count) if c not in mine], name("train")),
                       domain.subset(mine, name("test"))) for mine in dealt)
    fewest = min(map(len, dealt))
    said = (f"{folds} trainings, each tested on {fewest}{'' if count % folds == 0 else f' or {fewest + 1}'} classes "
            "that it never saw, and one on all classes for the checkpoint")
    return Division("none", {"train": domain}, parts, said)
