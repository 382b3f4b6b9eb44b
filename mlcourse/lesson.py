"""What a lesson's folder says of itself, so that whoever adds a lesson edits nothing outside it."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

FOLDER = "mlcourse.lessons"


@dataclass(frozen=True)
class Lesson:
    """The record LESSON in a lesson's folder. What it names is written "module:name", the module inside the folder, and
    imported when it is asked for.

    does: what the learner does in it, in a sentence. folder: the package's name, __name__; its first three letters are
    l and the lesson's number.
    exercises: a tuple of `exercises.framework.Exercise`, "" where there are none.
    predictions: a tuple of `exercises.predictions.Prediction`, "" where there are none.
    explorers: by the explorer's name a function without arguments that makes one with something to show.
    studies: by the name of its command the record STUDY (`mlcourse.studies.study`) of what takes longer than a lesson.
    terms: a dict, the terms that the lesson introduces, each defined in one sentence; "" where there are none.
    chinese: a dict, the same terms in Chinese. symbols: a dict, the symbols that the lesson introduces in TeX, each
    with the name it has in code ("" where it has none) and what it means; "" where there are none.
    """

    folder: str
    does: str
    exercises: str = ""
    predictions: str = ""
    explorers: Mapping[str, str] = field(default_factory=dict)
    studies: Mapping[str, str] = field(default_factory=dict)
    terms: str = ""
    chinese: str = ""
    symbols: str = ""

    @property
    def number(self) -> str:
        """The two digits of the lesson."""
        return self.folder.rpartition(".")[2][1:3]

    def load(self, place: str):
        """What "module:name" names in this folder."""
        module, name = place.split(":")
        return getattr(importlib.import_module(f"{self.folder}.{module}"), name)


@cache
def lessons() -> tuple[Lesson, ...]:
    """The record of every lesson that has a folder, in order. Raises ValueError for a folder without one."""
    names = sorted(each.name for each in pkgutil.iter_modules(importlib.import_module(FOLDER).__path__))
    folders = [importlib.import_module(f"{FOLDER}.{name}") for name in names if re.match(r"l\d\d_", name)]
    for folder in folders:
        if not hasattr(folder, "LESSON"):
            raise ValueError(f"{folder.__name__} has no record; write LESSON = Lesson(__name__, …) in its __init__.py")
    return tuple(folder.LESSON for folder in folders)
