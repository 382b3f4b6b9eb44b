"""The rows that a benchmark or a study leaves in a file: {"rows": [...]}, each with what made it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch

from mlcourse.system.files import write_atomically
from mlcourse.system.provenance import commit, versions


def facts(command: str, seed: int) -> dict:
    """What every row ends with: the shortest command that makes this row again, commit, seed, threads and versions."""
    return {"command": command, "commit": commit(), "seed": seed, "threads": torch.get_num_threads(),
            "versions": {name: value for name, value in versions().items() if name != "threads"}}


def read(path: Path) -> list[dict]:
    """The rows of a result file. Raises ValueError when it is damaged, FileNotFoundError when it is not there."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
        damage = "" if isinstance(rows, list) and all(isinstance(row, dict) for row in rows) else "its rows are no rows"
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        damage = f"{type(error).__name__}: {error}"
    if damage:
        raise ValueError(f"{path} is not a file of benchmark results ({damage}); restore it from the repository, or "
                         "remove it and run the benchmark again")
    return rows


def save(path: Path, rows: list[dict], key: tuple[str, ...]) -> None:
    """Put rows into a result file, which is written whole or not at all and made where it is missing.

    key: the fields that say which row is which, strings or numbers. A row replaces the one with the same key; the
    others stay. The file is sorted by key. Raises ValueError when the file is damaged or its rows lack the key.
    """
    name = lambda row: tuple((isinstance(row[field], str), row[field]) for field in key)
    try:
        kept = {name(row): row for row in (read(path) if path.exists() else [])}
    except KeyError as error:
        raise ValueError(f"{path} has a row without {error}; restore it from the repository, or remove it and run the "
                         "benchmark again") from error
    kept.update((name(row), row) for row in rows)
    text = json.dumps({"rows": [kept[each] for each in sorted(kept)]}, indent=1, ensure_ascii=False) + "\n"
    write_atomically(path, text.encode())


def by_seed(rows: Sequence[dict], arm: str, k: int, field: str = "accuracy") -> dict[int, float]:
    """{seed: field} of an arm at k labels per class; empty where it was not measured or is not defined."""
    return {row["seed"]: row[field] for row in rows if row["arm"] == arm and row["k"] == k and field in row}
