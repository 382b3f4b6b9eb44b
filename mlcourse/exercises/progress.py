"""The learner's progress: one small JSON file on their own disk, and nothing else.

The file is `progress.json` in the folder named by the environment variable MLCOURSE_PROGRESS, otherwise in
the user's data folder. It is replaced atomically. Where it cannot be used, one sentence says so and
progress is kept in memory until the kernel stops; checks work all the same.
"""

from __future__ import annotations

import copy
import json
import math
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from itertools import count
from pathlib import Path

import platformdirs

from mlcourse.system.files import alone, write_atomically

VERSION = 1
NO_ATTEMPT = {"attempts": 0, "passed": False, "first_passed": None, "hints": 0}
IN_MEMORY = "so progress is kept only until the kernel stops"

_in_memory: dict[Path, dict] = {}     # progress whose file cannot be used
_said: set[str] = set()


def path() -> Path:
    """Where the progress file is, or will be."""
    if folder := os.environ.get("MLCOURSE_PROGRESS"):
        return Path(folder) / "progress.json"
    try:
        return platformdirs.user_data_path("mlcourse", appauthor=False) / "progress.json"
    except RuntimeError:                # no home folder: a place that never holds a file
        return Path(os.devnull) / "progress.json"


@contextmanager
def changing() -> Iterator[dict]:
    """The progress to change, saved at the end; kernels that change it at the same time wait for each other."""
    with alone(path()):
        data = load()
        yield data
        save(data)


def record_attempt(id: str, passed: bool, answer: str = "") -> None:
    """Count one attempt at an exercise. The first pass gets its date, and a pass is never taken back.

    answer: what tells answers apart, such as `framework.fingerprint`; the same one as in the last attempt is no new
    one.
    """
    with changing() as data:
        entry = data["exercises"].setdefault(id, dict(NO_ATTEMPT))
        entry["attempts"] += not answer or answer != entry.get("answer")
        if answer:
            entry["answer"] = answer
        if passed and not entry["passed"]:
            entry["passed"], entry["first_passed"] = True, date.today().isoformat()


def record_hint(id: str, tier: int) -> None:
    """Note that hint number `tier` (1 to 3) of an exercise was shown."""
    with changing() as data:
        entry = data["exercises"].setdefault(id, dict(NO_ATTEMPT))
        entry["hints"] = max(entry["hints"], tier)


def record_score(key: str, value: float) -> None:
    """Keep a score, such as the learner's own accuracy in lesson 00: the last one and the greatest one.

    value: a finite number. Raises ValueError otherwise.
    """
    if not is_number(value):
        raise ValueError(f"a score must be a finite number, got {value!r}; pass an int or a float")
    with changing() as data:
        best = max(value, data["scores"].get(key, {"best": value})["best"])
        data["scores"][key] = {"last": value, "best": best}


def score(key: str) -> float | None:
    """The last score recorded under this key, or None."""
    return load()["scores"].get(key, {}).get("last")


def best_score(key: str) -> float | None:
    """The greatest score recorded under this key, or None."""
    return load()["scores"].get(key, {}).get("best")


def record_prediction(id: str, value: object) -> None:
    """Keep what the learner predicted before running a cell; a later prediction replaces it.

    value: anything that JSON can hold. Raises ValueError otherwise.
    """
    try:
        value = json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError):
        raise ValueError(f"a prediction must be a text, a finite number, or a list or dict of these, got "
                         f"{type(value).__name__}; convert it first") from None
    with changing() as data:
        data["predictions"][id] = value


def prediction(id: str) -> object:
    """What the learner predicted, or None."""
    return load()["predictions"].get(id)


def reset() -> None:
    """Start afresh; the old file stays beside the new one as progress.json.before-reset, numbered where that exists.

    Raises ValueError when a newer version of the course wrote the file, or when it cannot be moved.
    """
    file = path()
    _in_memory.pop(file, None)
    load()
    if file in _in_memory:
        raise ValueError(f"{file} cannot be reset, because this version of the course cannot use it; move it away "
                         f"yourself")
    try:
        with alone(file):
            if file.exists():
                os.replace(file, _free(file, "before-reset"))
    except OSError as error:
        raise ValueError(f"{file} cannot be moved away ({error.strerror}); check the permissions of its "
                         f"folder") from None


def load() -> dict:
    """The progress on disk; an empty one where there is no file yet or where it cannot be used."""
    file = path()
    if file in _in_memory:
        return copy.deepcopy(_in_memory[file])
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return empty()
    except OSError as error:
        return keep_in_memory(file, empty(), f"The progress file {file} cannot be read ({error.strerror}), "
                                             f"{IN_MEMORY}; "
                                             f"set MLCOURSE_PROGRESS to a folder of your own.")
    except (ValueError, RecursionError):
        return set_aside(file)
    version = data.get("version") if isinstance(data, dict) else None
    if is_count(version) and version > VERSION:
        return keep_in_memory(file, empty(), f"The progress file {file} has version {version}, but this course knows "
                                             f"version {VERSION} and leaves it alone, {IN_MEMORY}; update the course.")
    return data if is_sound(data) else set_aside(file)


def save(data: dict) -> None:
    """Replace the progress file in one step; where that fails, keep the data in memory and say so once."""
    file = path()
    if file in _in_memory:
        _in_memory[file] = data
        return
    try:
        write(file, data)
    except OSError as error:
        keep_in_memory(file, data, f"The progress file {file} cannot be written ({error.__cause__.strerror}), "
                                   f"{IN_MEMORY}; set MLCOURSE_PROGRESS to a folder of your own.")


def write(file: Path, data: dict) -> None:
    """Write a temporary file in the same folder, then put it in the place of the old one. Raises OSError."""
    text = json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    write_atomically(file, text.encode())


def set_aside(file: Path) -> dict:
    """Rename a damaged file to progress.json.damaged (numbered where that exists) and start afresh."""
    aside = _free(file, "damaged")
    try:
        os.replace(file, aside)
    except OSError as error:
        return keep_in_memory(file, empty(), f"The progress file {file} is damaged and cannot be moved away "
                                             f"({error.strerror}), {IN_MEMORY}.")
    say(f"The progress file {file} was damaged; it is kept as {aside.name}, and a fresh one is started.")
    return empty()


def _free(file: Path, why: str) -> Path:
    """A name beside the file that nothing has yet: progress.json.WHY, numbered where that exists."""
    numbered = (file.with_name(f"{file.name}.{why}" + (f"-{number}" if number > 1 else "")) for number in count(1))
    return next(place for place in numbered if not place.exists())


def keep_in_memory(file: Path, data: dict, sentence: str) -> dict:
    """Use no file from now on, and say why."""
    _in_memory[file] = copy.deepcopy(data)
    say(sentence)
    return data


def say(sentence: str) -> None:
    """Print a warning to stderr, once per kernel."""
    if sentence not in _said:
        _said.add(sentence)
        print(sentence, file=sys.stderr)


def empty() -> dict:
    """Progress before the first exercise."""
    return {"version": VERSION, "exercises": {}, "scores": {}, "predictions": {}}


def is_count(value: object) -> bool:
    """Whether a value is a whole number from 0 on."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def is_number(value: object) -> bool:
    """Whether a value is a finite number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def is_sound(data: object) -> bool:
    """Whether parsed JSON has the shape that this version writes."""
    if not isinstance(data, dict) or not is_count(data.get("version")):
        return False
    if not all(isinstance(data.get(part), dict) for part in ("exercises", "scores", "predictions")):
        return False
    entries_sound = all(
        isinstance(entry, dict) and is_count(entry.get("attempts")) and is_count(entry.get("hints"))
        and isinstance(entry.get("passed"), bool) and isinstance(entry.get("first_passed"), (str, type(None)))
        for entry in data["exercises"].values())
    return entries_sound and all(isinstance(kept, dict) and is_number(kept.get("last")) and is_number(kept.get("best"))
                                 for kept in data["scores"].values())
