"""The rows that a benchmark or a study leaves in a file: {"rows": [...]}, each with what made it; and what they say."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import torch

from mlcourse.statistics import Estimate, t_interval
from mlcourse.system import paths
from mlcourse.system.files import alone, write_atomically
from mlcourse.system.provenance import commit, versions


def facts(command: str, seed: int) -> dict:
    """What every row ends with: the shortest command that makes this row again, commit, seed, threads and versions."""
    return {"command": command, "commit": commit(), "seed": seed, "threads": torch.get_num_threads(),
            "versions": {name: value for name, value in versions().items() if name != "threads"}}


def read(name_or_path: str | Path) -> list[dict]:
    """The rows of a result file: a name, such as "transfer", is one of the repository's, a Path any.

    Raises ValueError when it is damaged, FileNotFoundError when it is not there.
    """
    path = name_or_path if isinstance(name_or_path, Path) else paths.RESULTS / f"{name_or_path}.json"
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
        damage = "" if isinstance(rows, list) and all(isinstance(row, dict) for row in rows) else "its rows are no rows"
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        damage = f"{type(error).__name__}: {error}"
    if damage:
        raise ValueError(f"{path} is not a file of benchmark results ({damage}); restore it from the repository, or "
                         "remove it and run the benchmark again")
    return rows


def kept(path: Path, command: str, key: Sequence[str]) -> list[dict]:
    """The rows that a command left in a file, none where it does not exist.

    Raises ValueError where the file is damaged, or holds rows of another command or without a field of the key.
    """
    rows = read(path) if path.exists() else []
    for row in rows:
        made_by = str(row.get("command", "an unknown command"))
        if not f"{made_by} ".startswith(f"{command} ") or not {*key} <= {*row}:
            raise ValueError(f"{path} holds rows that {command} did not make (one is of {made_by}); write to another "
                             "file")
    return rows


def save(path: Path, rows: list[dict], key: tuple[str, ...]) -> None:
    """Put rows into a result file, which is written whole or not at all and made where it is missing.

    key: the fields that say which row is which, strings or numbers. A row replaces the one with the same key; the
    others stay, those included that another process saves meanwhile. The file is sorted by key. Raises ValueError when
    the file is damaged or its rows lack the key.
    """
    with alone(path):
        _save(path, rows, key)


def _save(path: Path, rows: list[dict], key: tuple[str, ...]) -> None:
    name = lambda row: tuple((isinstance(row[field], str), row[field]) for field in key)
    try:
        kept = {name(row): row for row in (read(path) if path.exists() else [])}
    except KeyError as error:
        raise ValueError(f"{path} has a row without {error}; restore it from the repository, or remove it and run the "
                         "benchmark again") from error
    kept.update((name(row), row) for row in rows)
    text = json.dumps({"rows": [kept[each] for each in sorted(kept)]}, indent=1, ensure_ascii=False) + "\n"
    write_atomically(path, text.encode())


def frame(source: str | Path | Sequence[dict], each: Sequence[str] = ()) -> pd.DataFrame:
    """A tidy table of results, a row for each measurement: nested facts stand in columns such as "versions.torch".

    source: what `read` takes, or rows. each: fields that hold a list with a value for each measurement, such as the
    severities of a sweep and the accuracy at each: as many rows then come from one of the file. What a row does not
    have is nan. Raises ValueError where the lists of a row differ in length or the first of them is missing, and what
    `read` raises.
    """
    found = read(source) if isinstance(source, (str, Path)) else list(source)
    return pd.json_normalize([part for row in found for part in _measurements(row, each)])


def _measurements(row: dict, each: Sequence[str]) -> list[dict]:
    if not each:
        return [row]
    lists = {field: row[field] for field in each if field in row}
    if each[0] not in row or len({len(values) for values in lists.values()}) > 1:
        raise ValueError(f"a row needs a list {each[0]!r}, and lists of its length in {list(each)}, got {lists}")
    return [row | dict(zip(lists, values)) for values in zip(*lists.values(), strict=True)]


def estimates(table: pd.DataFrame, value: str, by: Sequence[str]) -> dict[object, Estimate]:
    """{group: Estimate} of a column over seeds, in the order of the table; measurements that share a seed are averaged
    first, so that the interval is Student's t over seeds.

    table: of `frame`. by: the columns that make a group; its key is a tuple of their values, the value itself where
    there is one column only. Groups without a value are left out. Raises ValueError for a column that is not there.
    """
    if missing := [column for column in (value, "seed", *by) if column not in table]:
        raise ValueError(f"the table has no column {', '.join(map(repr, missing))}; it has {', '.join(table.columns)}")
    mean = lambda values: values.mean(skipna=False)
    keys = by[0] if len(by) == 1 else list(by)
    seeds = table.groupby([*by, "seed"], sort=False, dropna=False)[value].agg(mean)
    groups = seeds.groupby(keys, sort=False, dropna=False)
    return {key: t_interval(values) for key, values in groups if values.notna().any()}


def by_seed(rows: Sequence[dict], arm: str, k: int, field: str = "accuracy") -> dict[int, float]:
    """{seed: field} of an arm at k labels per class; empty where it was not measured or is not defined."""
    return {row["seed"]: row[field] for row in rows if row["arm"] == arm and row["k"] == k and field in row}
