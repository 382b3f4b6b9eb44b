"""What the studies from sources to a target share on the command line: where rows and picture go, and the saving."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from mlcourse.cli.output import rows_file

DataDir = Annotated[Path | None, typer.Option("--data-dir", help=r"Look here for data.  \[default: MLCOURSE_DATA]")]


def command_line(study: str, source: Sequence[str], target: str) -> str:
    """The command that rows name as theirs."""
    words = ["mlcourse", "study", study, *(w for spec in source for w in ("--source", spec)), "--target", target]
    return shlex.join(words)


def output_files(study: str, source: Sequence[str], target: str, out: Path | None, keep: bool,
                 plot: Path | None) -> tuple[Path, Path]:
    """The files of rows and picture: those asked for, or runs/ and the names. Raises ValueError as `rows_file` does, and
    for a picture that is no PNG."""
    names = "-".join("".join(c if c.isalnum() else "-" for c in spec).strip("-") for spec in (*source, "to", target))
    file = rows_file(f"{study}-{names}", out, keep, kept_name=study)
    picture = plot or file.with_suffix(".png")
    if picture.suffix != ".png":
        raise ValueError(f"the picture is a PNG, got {picture}; give it a name that ends in .png")
    return file, picture


def save_as_measured(batches: Iterable[list[dict]], key: tuple[str, ...], file: Path, bar) -> None:
    """Save each batch of rows as soon as it is measured; `bar` says whose they are. After Ctrl-C or SIGTERM, say that the
    rest can go on from there, and exit with 130."""
    from mlcourse import rows as results

    try:
        for rows in batches:
            if rows:
                results.save(file, rows, key)
                bar.set_description(f"{rows[0]['arm']}, seed {rows[0]['seed']}")
    except KeyboardInterrupt:
        bar.close()
        print(f"mlcourse: interrupted; what was measured is in {file}, and the same command goes on from there",
              file=sys.stderr)
        raise typer.Exit(130) from None
