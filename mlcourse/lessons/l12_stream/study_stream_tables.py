"""The tables of `mlcourse study stream`, as its page has them."""

from __future__ import annotations

from collections.abc import Sequence

from mlcourse.lessons.l12_stream.study_stream_arms import (ARMS, CANDIDATES, CHOOSING, CHOOSING_STREAMS, FTML,
                                                           NAMES, SCRATCH, SIZES, STREAMS, TUNED, setting)
from mlcourse.lessons.l12_stream.study_stream_results import Rows, apart, area, mean, mean_accuracy, needed, ratio


def table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """Markdown."""
    line = lambda cells: f"| {' | '.join(cells)} |"
    return "\n".join([line(head), line(["---"] * len(head)), *map(line, body)])


def samples(rows: Rows, stream: str, arm: str) -> str:
    """The samples needed with each seed, ascending."""
    found = sorted(needed(rows, stream, arm).values(), key=lambda n: (n is None, n))
    if not any(found):
        return "never"
    return ", ".join(str(n or f"> {SIZES[-1]}") for n in found)


def arms(rows: Rows, stream: str) -> str:
    """All arms in a stream."""
    body = []
    for arm in (name for name in NAMES if needed(rows, stream, name)):
        body.append([arm, samples(rows, stream, arm), f"{100 * mean(rows, stream, arm, 'passed').mean:.0f} %",
                     mean_accuracy(rows, stream, arm, 40).text(),
                     "" if arm == TUNED else apart(rows, stream, arm, TUNED).text(sign=True),
                     *("–" if arm == SCRATCH else mean(rows, stream, arm, field).times(100).text(sign=True)
                       for field in ("forgotten_before", "forgotten_after")),
                     f"{mean(rows, stream, arm, 'seconds').mean:.0f}"])
    return table(["arm", "samples needed", "passed", "accuracy with 40", "less fine-tune", "forgotten, before", "after",
                  "seconds"], body)


def ratios(rows: Rows, one: str = FTML) -> str:
    """How many times as many samples `one` needs as each other arm, in each stream."""
    others = [name for name in NAMES if name != one]
    cell = lambda stream, other: "" if not needed(rows, stream, other) else "–" if (
        found := ratio(rows, stream, one, other)) is None else (
        "at most " * (None in needed(rows, stream, other).values()) + found.text())
    streams = [stream for stream in STREAMS if needed(rows, stream, one)]
    return table([f"samples of {one} over those of", *streams],
                 [[other, *(cell(stream, other) for stream in streams)] for other in others])


def settings(rows: Rows) -> str:
    """What each setting gave where settings were chosen."""
    found = {(row["stream"], row["arm"], row["setting"]): area(row) for row in rows if row["seed"] == CHOOSING}
    return table(["arm", "setting", *CHOOSING_STREAMS],
                 [[arm, each, *(f"{found[stream, arm, each]:.1f}" if ARMS[arm].plays_in(stream) else ""
                                for stream in CHOOSING_STREAMS)]
                  for arm in CANDIDATES for each in map(setting, ARMS[arm].choices)])
