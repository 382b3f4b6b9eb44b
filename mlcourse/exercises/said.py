"""What checks and hints print."""

from __future__ import annotations

import textwrap

WIDTH = 112         # characters; on a screen of 1366 pixels JupyterLab shows 118, and breaks longer lines inside a word


def say(text: str) -> None:
    """Print text in lines that end between words."""
    for line in text.split("\n"):
        print(textwrap.fill(line, WIDTH, break_long_words=False, break_on_hyphens=False) if len(line) > WIDTH else line)
