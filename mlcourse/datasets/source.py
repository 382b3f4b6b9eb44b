"""What a data set's file says of it: its record SOURCE, from which specs, help texts and tables are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from mlcourse.datasets.form import Form
from mlcourse.domains import Domain


class Source(NamedTuple):
    """A data set by the name that a spec begins with.

    about: what it holds, in words. load: the domain, from a data directory or None and in a `Form`; None where there is
    nothing without a path. from_path: the domain of "NAME:PATH" in a form; path: how to write such a PATH. files: what
    it needs under a data directory; remote: whether they can be downloaded; made_by: the command that makes them where
    the course does. place: where it lies if not in files. classes, images: how many; None where the file says. splits:
    the groups of train, val and test, for `split_by_group`; None for `split_classes`. framed: whether its pictures
    stand in the frame of all digits (`datasets.frame`), unless "@unframed" is asked for. sequence: (L, A), the shape of
    a sample where the samples are sequences; None for pictures.
    """

    name: str
    about: str
    load: Callable[[Path | None, Form], Domain] | None = None
    from_path: Callable[[str, Form], Domain] | None = None
    path: str = ""
    files: tuple[str, ...] = ()
    remote: bool = False
    made_by: str = ""
    place: str = ""
    classes: int | None = None
    images: int | None = None
    splits: Mapping[str, tuple[str, ...]] | None = None
    framed: bool = False
    sequence: tuple[int, int] | None = None

    @property
    def remedy(self) -> str:
        """What gets its files: a command, or what to do by hand."""
        if self.remote:
            return f"mlcourse data get {self.name}"
        return self.made_by or f"put {' and '.join(self.files)} into a data directory"

    @property
    def specs(self) -> list[str]:
        """The ways to write a spec of this data set."""
        return [self.name] * (self.load is not None) + [f"{self.name}:{self.path}"] * (self.from_path is not None)
