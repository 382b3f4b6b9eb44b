"""What the studies from sources to a target share on the command line: where rows and picture go, and the saving."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer

DataDir = Annotated[Path | None, typer.Option("--data-dir", help=r"Look here for data.  \[default: MLCOURSE_DATA]")]


def command_line(study: str, source: Sequence[str], target: str) -> str:
    """The command that rows name as theirs."""
    words = ["mlcourse", "study", study, *(w for spec in source for w in ("--source", spec)), "--target", target]
    return shlex.join(words)


def output_files(study: str, source: Sequence[str], target: str, json_file: Path | None,
                 plot: Path | None) -> tuple[Path, Path]:
    """The files of rows and picture: those asked for, or runs/ and the names. Raises ValueError for another suffix."""
    names = "-".join("".join(c if c.isalnum() else "-" for c in spec).strip("-") for spec in (*source, "to", target))
    rows_file = json_file or Path("runs") / f"{study}-{names}.json"
    picture = plot or rows_file.with_suffix(".png")
    for path, suffix, what in ((rows_file, ".json", "rows are written as JSON"), (picture, ".png", "picture is a PNG")):
        if path.suffix != suffix:
            raise ValueError(f"the {what}, got {path}; give it a name that ends in {suffix}")
    return rows_file, picture


def save_as_measured(batches: Iterable[list[dict]], key: tuple[str, ...], rows_file: Path, bar) -> None:
    """Save each batch of rows as soon as it is measured; `bar` says whose they are. After Ctrl-C or SIGTERM, say that the
    rest can go on from there, and exit with 130."""
    from mlcourse import rows as results

    try:
        for rows in batches:
            if rows:
                results.save(rows_file, rows, key)
                bar.set_description(f"{rows[0]['arm']}, seed {rows[0]['seed']}")
    except KeyboardInterrupt:
        bar.close()
        print(f"mlcourse: interrupted; what was measured is in {rows_file}, and the same command goes on from there",
              file=sys.stderr)
        raise typer.Exit(130) from None
