"""Writing a file whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_atomically(path: Path, data: bytes) -> None:
    """Write a temporary file in the same folder, then give it the name `path`, which so holds the old bytes or all of
    the new ones, never a part.

    The folder is made where it is missing. On any error, an interrupt included, the temporary file is removed and what
    stood at `path` is untouched. Raises OSError, with one sentence that names the file, when it cannot be written.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise OSError(f"cannot write {path}: {error.strerror or error}; free space or choose another "
                      "folder") from error
