"""Where data lie: the search order, verified downloads, and a cache of decoded arrays."""

from __future__ import annotations

import hashlib
import io
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pooch

from mlcourse.system import paths
from mlcourse.system.files import write_atomically


class DataError(RuntimeError):
    """Data that are not here and cannot be had: one sentence with the steps to take by hand."""


class Remote(NamedTuple):
    """A file that can be downloaded: its place upstream, its digest, and the page that offers it."""

    base_url: str
    digest: str
    page: str


REMOTES: dict[str, Remote] = {}     # by the path under the data directory; `remote_files` adds to them


def remote_files(base_url: str, page: str, digests: Mapping[str, str]) -> tuple[str, ...]:
    """The paths of a data set's files, which can be downloaded from now on.

    base_url: what a file's name follows upstream. page: that offers them. digests: "md5:…" or "sha256:…" by the path
    under the data directory.
    """
    REMOTES.update((path, Remote(base_url, digest, page)) for path, digest in digests.items())
    return tuple(digests)


def user_cache() -> Path:
    """The user's cache for this course (on Linux ~/.cache/mlcourse); it need not exist yet."""
    return Path(pooch.os_cache("mlcourse"))


def directories(data_dir=None) -> list[Path]:
    """The data directories in search order: the argument, MLCOURSE_DATA, the shipped data/, the user's cache.

    Raises ValueError when the argument or MLCOURSE_DATA names something that is not a directory.
    """
    for value, what in ((data_dir, "the data directory"), (os.environ.get("MLCOURSE_DATA"), "MLCOURSE_DATA")):
        if value and not Path(value).expanduser().is_dir():
            raise ValueError(f"{what} {str(value)!r} is not a directory; correct the path or leave it out")
    return [*chosen(data_dir), paths.DATA, user_cache()]


def chosen(data_dir=None) -> list[Path]:
    """The directories that the user named: the argument, then MLCOURSE_DATA."""
    return [Path(value).expanduser() for value in (data_dir, os.environ.get("MLCOURSE_DATA")) if value]


def find(relative: str, data_dir=None) -> Path | None:
    """The first data directory's file of this relative path, such as "omniglot/images_background.zip", or None."""
    places = (folder / relative for folder in directories(data_dir))
    return next((place for place in places if place.is_file()), None)


def target(data_dir=None) -> Path:
    """The directory that downloads go to: the argument, else MLCOURSE_DATA, else the user's cache."""
    return (chosen(data_dir) or [user_cache()])[0]


def by_hand(relative: str, data_dir=None) -> str:
    """The manual steps for one file, as the end of a sentence."""
    remote = REMOTES[relative]
    return (f"download {remote.base_url}{Path(relative).name} (from {remote.page}) in a browser and "
            f"put it at {target(data_dir) / relative}")


def download(relative: str, data_dir=None, *, base_url: str | None = None, digest: str | None = None) -> Path:
    """Fetch one of REMOTES into `target(data_dir)` and return its path; a file already there is kept if it verifies.

    The file is written beside its place, checked against its digest, and then renamed: it is whole or absent.
    base_url, digest: in place of the upstream's, for a mirror ("md5:…" or "sha256:…").
    Raises DataError, one sentence with the steps to take by hand, without a network, when the digest differs,
    and when the directory cannot be written. Raises ValueError for an unknown name.
    """
    if relative not in REMOTES:
        raise ValueError(f"{relative!r} is not a file that can be downloaded; choose one of {', '.join(REMOTES)}")
    remote = REMOTES[relative]
    path = target(data_dir) / relative
    pooch.get_logger().setLevel("WARNING")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        pooch.retrieve((base_url or remote.base_url) + path.name, known_hash=digest or remote.digest,
                       fname=path.name, path=path.parent, downloader=pooch.HTTPDownloader(progressbar=True))
    except ValueError as error:
        raise DataError(f"{path.name} arrived with another digest than expected, so it was thrown away; try again, or "
                        f"{by_hand(relative, data_dir)}") from error
    except OSError as error:
        # an error of this machine carries an errno, an error of the network does not
        if error.errno is None and not isinstance(error, PermissionError):
            raise DataError(f"could not reach {base_url or remote.base_url}; when there is no network, "
                            f"{by_hand(relative, data_dir)}") from error
        reason = error.strerror or "permission denied"
        raise DataError(f"cannot write {path} ({reason}); make room, or name a data directory that you may "
                        f"write to, for instance in MLCOURSE_DATA") from error
    return path


def missing(relative: str, command: str, data_dir=None) -> DataError:
    """The error for a data set that is not on this machine; `command` is what downloads it."""
    return DataError(f"{relative} is not in any data directory; run `{command}`, or {by_hand(relative, data_dir)}")


def file_digest(path) -> str:
    """The SHA-256 of a file's bytes, as hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cached(key: str, make: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """The arrays that make() returns, kept in the user's cache under `key` for the next call.

    key: letters, digits, dots, dashes and underscores; it should contain the digest of what the arrays are made from.
    A damaged cache file is noticed by the digest inside it and made again. A cache that cannot be written is not
    an error. Nothing is unpickled.
    """
    if not re.fullmatch(r"[\w.-]+", key):
        raise ValueError(f"a cache key is made of letters, digits, dots, dashes and underscores, got {key!r}")
    path = user_cache() / "decoded" / f"{key}.npz"
    arrays = _read_cache(path)
    if arrays is None:
        arrays = make()
        try:
            packed = io.BytesIO()
            np.savez(packed, content_digest=np.array(_content_digest(arrays)), **arrays)
            write_atomically(path, packed.getvalue())
        except OSError:
            pass
    return arrays


def _read_cache(path: Path) -> dict[str, np.ndarray] | None:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except Exception:  # absent, unreadable, or a damaged zip, which raises many kinds of error: make it again
        return None
    digest = arrays.pop("content_digest", None)
    return arrays if digest is not None and str(digest) == _content_digest(arrays) else None


def _content_digest(arrays: dict[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape};".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
