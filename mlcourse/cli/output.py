"""What commands share: --out and --keep, where rows go, --json, and output that no code page stops."""

from __future__ import annotations

import codecs
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from mlcourse.system import paths

Out = Annotated[Path | None, typer.Option("--out", help="The file of rows to write to; rows that are in it are not "
                                          r"measured again.  \[default: runs/ and the name]")]
Replaced = Annotated[Path | None, typer.Option("--out", help="The file of rows to write to; a row with the same key is "
                                               r"measured again and replaced.  \[default: runs/ and the name]")]
Keep = Annotated[bool, typer.Option("--keep", help="Write to the rows that the course keeps, in benchmarks/results/.")]
SEEDS = {"min": 0, "max": 2**31 - 1}       # of an option: what every random generator takes
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for a program to read.")]


def rows_file(name: str, out: Path | None, keep: bool, kept_name: str = "") -> Path:
    """The file that a command writes its rows to: `out`, else runs/NAME.json, or with --keep the tracked one.

    kept_name: that of the tracked file where it holds the rows of several such commands. Raises ValueError where both
    are asked for, for a file that is no .json, and for --keep in a course that was installed without its results.
    """
    if keep and out:
        raise ValueError(f"--keep and --out {out} name two files; leave one of them out")
    if keep and not (paths.IN_CLONE and paths.RESULTS.is_dir()):
        raise ValueError("rows are kept in a clone of the repository, and this course was installed without one; leave "
                         "out --keep, or name a file with --out")
    file = paths.RESULTS / f"{kept_name or name}.json" if keep else out or Path("runs") / f"{name}.json"
    if file.suffix != ".json":
        raise ValueError(f"the rows are written as JSON, got --out {file}; give it a name that ends in .json")
    return file


SPELLED = {"→": "->", "←": "<-", "±": "+-", "×": "x", "≈": "~", "−": "-", "–": "-", "—": "-", "…": "...", "·": ".",
           "α": "alpha", "β": "beta", "θ": "theta", "φ": "phi", "ε": "eps", "λ": "lambda", "τ": "tau", "Σ": "sum"}


def degrade_output() -> None:
    """Where standard output or error cannot hold a character, as in a Windows code page, spell it, and go on."""
    codecs.register_error("mlcourse.spelled", _spelled)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="mlcourse.spelled")


def check_output() -> None:
    """Raises OSError where standard output is closed, so that no result could be told."""
    if sys.stdout is None:
        raise OSError("standard output is closed, so that no result could be told; leave it open, or send it to a file")


@contextmanager
def told() -> Iterator[None]:
    """What is printed inside has left this process at the end. Raises OSError, in one sentence, where it could not."""
    try:
        yield
    finally:
        try:
            sys.stdout.flush()
        except OSError as error:
            sys.stdout = None           # or Python would try once more at its exit
            raise OSError(f"the result could not be told ({error.strerror}); send standard output to a place that "
                          "takes it") from error


def _spelled(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start:error.end]
    return "".join(SPELLED.get(c, c.encode("ascii", "backslashreplace").decode()) for c in lost), error.end


def as_json_text(value) -> str:
    """JSON to print: characters as they are where standard output is UTF-8, else escaped, so that none is lost."""
    utf8 = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "").replace("_", "") == "utf8"
    return json.dumps(value, indent=2, ensure_ascii=not utf8)
