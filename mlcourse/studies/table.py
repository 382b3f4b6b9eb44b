"""A table as text."""

from __future__ import annotations

from collections.abc import Sequence


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells as lines: the first column to the left, the others to the right, two blanks between them."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    line = lambda row: "  ".join((cell.rjust if i else cell.ljust)(width)
                                 for i, (cell, width) in enumerate(zip(row, widths, strict=True)))
    return "\n".join(line(row).rstrip() for row in rows)
