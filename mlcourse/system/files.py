"""Writing a file whole or not at all, one process at a time, under a name that file systems take."""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout


def write_atomically(path: Path, data: bytes) -> None:
    """Write a temporary file in the same folder, then give it the name `path`, which so holds the old bytes or all of
    the new ones, never a part.

    The folder is made where it is missing. A link stays one: the file that it leads to is replaced. A file that is
    replaced keeps its permissions, a new one has those of the user's umask. On any error, an interrupt included, the
    temporary file is removed and what stood at `path` is untouched. Raises OSError, with one sentence that names the
    file, when it cannot be written.
    """
    path = Path(path)
    try:
        place = Path(os.path.realpath(path))
        place.parent.mkdir(parents=True, exist_ok=True)
        temporary = place.with_name(f".{secrets.token_hex(8)}.part")
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if place.exists():
                os.chmod(temporary, place.stat().st_mode & 0o7777)
            os.replace(temporary, place)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise OSError(f"cannot write {path}: {error.strerror or error}; free space or choose another "
                      "folder") from error


@contextmanager
def alone(file: Path) -> Iterator[None]:
    """Nobody else who asks changes the file inside; where no lock can be had within five seconds, it goes on without
    one."""
    named = hashlib.sha256(os.path.realpath(file).encode(errors="surrogateescape")).hexdigest()[:16]
    lock = FileLock(Path(tempfile.gettempdir()) / f"mlcourse-{named}.lock", timeout=5)
    try:
        lock.acquire()
    except (OSError, Timeout):
        pass
    try:
        yield
    finally:
        lock.release()


def bounded(name: str, most: int, of: str | None = None) -> str:
    """The name, or where it is longer than `most` bytes its beginning and a number made from `of`, by default the
    name."""
    if len(name.encode()) <= most:
        return name
    return f"{name.encode()[:most].decode(errors='ignore')}-{zlib.crc32((name if of is None else of).encode()):08x}"


def plain_name(text: str) -> str:
    """The text as a part of a file's name: letters, digits and @ = . _ - stay, and others become -. A text that so
    loses more than its first colon ends in a number made from it, so that such texts have names that differ."""
    name = "".join(c if c.isalnum() or c in "@=._-" else "-" for c in text).strip("-")
    if name == text.replace(":", "-", 1):
        return name
    return f"{name}-{zlib.crc32(text.encode(errors='surrogateescape')):08x}"
