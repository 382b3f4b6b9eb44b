"""What the studies from sources to a target share: their options, the command that rows name, and the file of rows."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from mlcourse.studies.study import Option
from mlcourse.system.files import bounded, plain_name

LONGEST = 120                       # of the pair in a file's name


def options(ks: Sequence[int], arms: str = "all") -> tuple[Option, ...]:
    """Sources, target, arms, labels per class and the folder of the data. ks: the usual labels per class. arms: the
    usual arms, in words."""
    return (
        Option("source", str, "A labelled domain, such as glyphs-digits, mnist, folder:PATH or array:FILE.npz; repeat "
                              "it for several.", several=True, required=True),
        Option("target", str, "The domain to get to, named in the same way.", required=True),
        Option("arm", str, rf"Repeat it for several.  \[default: {arms}]", several=True),
        Option("k", int, rf"Labels per class; repeat it for several.  \[default: {', '.join(map(str, ks))}]",
               several=True, least=0),
        Option("data_dir", Path, r"Look here for data.  \[default: MLCOURSE_DATA]"),
    )


def command_line(study: str, source: Sequence[str], target: str) -> str:
    """The command that rows name as theirs."""
    words = ["mlcourse", "study", study, *(w for spec in source for w in ("--source", spec)), "--target", target]
    return shlex.join(words)


def file_name(study: str, source: Sequence[str], target: str) -> str:
    """The study and the pair, as a file may be named: pairs that differ have names that differ, a long one ends in a
    number made from it."""
    specs = (*source, "to", target)
    pair = "-".join(map(plain_name, specs))
    return f"{study}-{bounded(pair, LONGEST, ' '.join(specs))}"
