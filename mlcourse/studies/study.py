"""What a study is: arms side by side on the same data, over seeds. `mlcourse study NAME` is made from its record."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

from mlcourse import rows as results
from mlcourse.system.processes import side_by_side

if TYPE_CHECKING:
    from mlcourse.plots import Picture

Key = tuple[str | float, ...]


@dataclass(frozen=True)
class Option:
    """An option of a study's command beside --seed, --out, --plot, --keep and --json.

    name: of the value in Python; --data-dir is data_dir. kind: of the value; a bool is a flag. several: it may be
    repeated, and arrives as a list. least: of numbers.
    """

    name: str
    kind: type
    help: str
    several: bool = False
    required: bool = False
    least: int | None = None


@dataclass(frozen=True)
class Study:
    """The record STUDY of a study.

    name: of its command and, with _ for -, of its kept rows. about: the help, its first sentence in the list of
    studies.
    examples: what to write after the name.
    key: the fields of a row that say which row it is, strings or numbers.
    budget: how much is computed, a frozen dataclass; the kept rows have this one, tests a smaller one.
    rows(work, budget, todo, kept): the rows whose keys are in `todo`, each as soon as it is measured; kept are those
    that are in the file. Raises ValueError where they are of other data, before anything is measured.
    plan(work, budget): the keys of all rows that are asked for.
    line(row): the row as a line of a table.
    prepare(seeds, **options): the work, which is all that plan, rows and report need; it checks what was asked and
    loads the data. Raises ValueError for what does not fit. Left out: the work is a namespace of what was asked.
    seeds: how many are usual, from `first` on; 0 where that differs from part to part. pilot: the seed whose rows
    those of all others rest on, if there is one.
    piece(key): a name; rows of one seed whose pieces differ share no training and are measured side by side, too, those
    of the name that comes first in the alphabet first. Left out: a seed is one piece.
    begin(work): what is measured, in a sentence. report(work, rows), pictures(work, rows): what the rows that were
    asked for say, and what they look like, by what is added to the file's name; a study that shows all rows of its file
    ignores which were asked for.
    file(work): the name of the rows without --out and --keep, where it is not the study's.
    """

    name: str
    about: str
    examples: tuple[str, ...]
    key: tuple[str, ...]
    budget: object
    plan: Callable[[object, object], Sequence[Key]]
    rows: Callable[[object, object, Sequence[Key], Sequence[dict]], Iterator[dict]]
    line: Callable[[dict], str]
    options: tuple[Option, ...] = ()
    seeds: int = 5
    first: int = 0
    pilot: int | None = None
    piece: Callable[[Key], str] = lambda key: ""
    prepare: Callable[..., object] = SimpleNamespace
    begin: Callable[[object], str] | None = None
    report: Callable[[object, Sequence[dict]], str] | None = None
    pictures: Callable[[object, Sequence[dict]], Mapping[str, Picture]] | None = None
    file: Callable[[object], str] | None = None

    def work(self, seeds: Sequence[int] = (), **options) -> object:
        """What `prepare` makes of the seeds, the usual ones where none are given, and of the options; one that is left
        out is False, None or, where several may be given, empty. Raises what it raises."""
        usual = {option.name: [] if option.several else False if option.kind is bool else None
                 for option in self.options}
        given = {name: value for name, value in options.items() if value is not None}
        usual_seeds = range(self.first, self.first + self.seeds)
        return self.prepare(seeds=list(dict.fromkeys(seeds or usual_seeds)), **usual | given)

    def key_of(self, row: dict) -> Key:
        """The key of a row."""
        return tuple(row[field] for field in self.key)

    def kept(self, file: Path) -> list[dict]:
        """The rows in a file, none where it does not exist. Raises what `rows.kept` raises."""
        return results.kept(file, f"mlcourse study {self.name}", self.key)

    def asked(self, work: object, rows: Sequence[dict], budget: object | None = None) -> list[dict]:
        """The rows of the plan, in its order."""
        by_key = {self.key_of(row): row for row in rows}
        return [by_key[key] for key in self.plan(work, budget or self.budget) if key in by_key]

    def missing(self, work: object, kept: Sequence[dict], budget: object | None = None) -> list[Key]:
        """The keys of the plan that have no row yet."""
        there = {self.key_of(row) for row in kept}
        return [key for key in dict.fromkeys(self.plan(work, budget or self.budget)) if key not in there]

    def measure(self, work: object, kept: Sequence[dict] = (), budget: object | None = None) -> Iterator[dict]:
        """The rows that are asked for and not kept, each as soon as it is measured."""
        budget = budget or self.budget
        return self.rows(work, budget, self.missing(work, kept, budget), kept)

    def measure_side_by_side(self, work: object, kept: Sequence[dict] = ()) -> Iterator[dict]:
        """As `measure`, but seeds and their pieces are measured side by side (`processes.side_by_side`), after the
        pilot's rows."""
        place, pilot, parts, found = self.key.index("seed"), [], {}, []
        for key in self.missing(work, kept):
            mine = pilot if key[place] == self.pilot else parts.setdefault((self.piece(key), key[place]), [])
            mine.append(key)
        for row in self.rows(work, self.budget, pilot, kept):
            found.append(row)
            yield row
        yield from side_by_side(lambda todo: self.rows(work, self.budget, todo, [*kept, *found]),
                                [parts[part] for part in sorted(parts)])
