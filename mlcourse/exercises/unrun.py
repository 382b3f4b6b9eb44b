"""A check whose stub was never run says so in a notebook, in the place of a bare NameError."""

from __future__ import annotations

import re
import sys
import traceback

from mlcourse.exercises.said import say

CHECK = re.compile(r"""check\(\s*["'](\d\d\.\d+)["']\s*,\s*(\w+)\s*\)""")


def sentence(error: NameError, line: str) -> str | None:
    """What to say of a NameError in this line of a cell; None where it is not the missing answer of a check."""
    found = CHECK.search(line)
    if not found or found[2] != error.name:
        return None
    return (f"{found[1]} {found[2]}: not attempted. The name {found[2]} is not there yet: run the cell above first, "
            f"which defines it, then this one again.")


def watch(shell) -> None:
    """Let an IPython shell print the sentence where there is one; any other error is shown as ever."""
    def show(shell, kind, error, trace, tb_offset=None):
        said = sentence(error, traceback.extract_tb(trace)[-1].line or "")
        if said:
            say(said)
        else:
            shell.showtraceback((kind, error, trace), tb_offset=tb_offset)

    if not shell.custom_exceptions:
        shell.set_custom_exc((NameError,), show)


def watch_notebook() -> None:
    """`watch` the shell that runs this process; nothing outside IPython."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None:
        watch(shell)
