"""The picture of `mlcourse study stream`."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib

from mlcourse.lessons.l12_stream.study_stream_arms import (ALONE, FTML, GDUMB, GDUMB_TUNED, HALF, SCRATCH,
                                                           SIZES, THRESHOLD, TOLD, TUNED, UPRIGHT)
from mlcourse.lessons.l12_stream.study_stream_results import mean_accuracy, needed, ratio
from mlcourse.plots.static import Picture, blank, picture
from mlcourse.plots.style import GREY, RC, SERIES

SHOWN = (FTML, TUNED, GDUMB_TUNED, ALONE, SCRATCH, GDUMB)
PANELS = (HALF, UPRIGHT, TOLD)


def curves(rows: Sequence[dict]) -> Picture:
    """Accuracy on the later tasks over the samples of a task, a panel for each of three streams, with 95 % intervals.
    Raises ValueError where rows are missing."""
    streams = [stream for stream in PANELS if all(needed(rows, stream, arm) for arm in SHOWN)]
    if HALF not in streams:
        raise ValueError(f"the picture needs rows of all arms in {HALF!r}; measure that stream first")
    title, said = _title(rows), []
    figure = blank(3.4 * len(streams) + 1.0, 3.9)
    with matplotlib.rc_context(RC):
        figure.suptitle(title, x=0.01, ha="left", fontsize=11)
        for axes, stream in zip(figure.subplots(1, len(streams), sharey=True, squeeze=False)[0], streams, strict=True):
            for i, (arm, style) in enumerate(zip(SHOWN, SERIES, strict=False)):
                found = [mean_accuracy(rows, stream, arm, n) for n in SIZES]
                axes.errorbar([n * (1 + 0.012 * (i - 2.5)) for n in SIZES], [e.mean for e in found],
                              yerr=[e.half for e in found], **style, capsize=2, ms=4, label=arm)
                said.append(f"{stream}, {arm}: " + ", ".join(
                    f"{e.text(tight=True)} ({n})" for n, e in zip(SIZES, found, strict=True)))
            axes.axhline(100 * THRESHOLD, color=GREY, linewidth=0.9, linestyle="--", label=f"{THRESHOLD:.0%} right")
            axes.set_xscale("log")
            axes.set_xticks(SIZES, list(map(str, SIZES)))
            axes.minorticks_off()
            axes.set(title=stream.capitalize(), xlabel="labelled samples of the task")
            axes.grid(True, axis="y")
        figure.axes[0].set_ylabel("accuracy (%), later tasks")
        figure.axes[min(1, len(streams) - 1)].legend(loc="lower right")
    return picture(figure, f"{title}. {'; '.join(said)}.")


def _title(rows: Sequence[dict]) -> str:
    found = ratio(rows, HALF, FTML, TUNED)
    times = "more samples than fine-tuning" if found is None else f"{found.text()} times fine-tuning's samples"
    return f"Where tasks contradict each other FTML needs {times}"
