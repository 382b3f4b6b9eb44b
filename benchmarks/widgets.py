"""How long a widget takes from a changed control to the new picture, over a sweep of every control.

    python benchmarks/widgets.py [--json benchmarks/results/widgets.json]

Each control visits its minimum, default and maximum and 12 values between; the first change of a control, which may
build a new frame, counts too. Milliseconds of wall time in one process.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

from mlcourse.datasets import load_splits
from mlcourse.machine import keep_freed_memory, limit_threads
from mlcourse.nets import MLP
from mlcourse.runs import commit, versions
from mlcourse.widgets import InnerLoopExplorer, OuterLoopPlayer, YouAgainstMachine


def values_of(control):
    """Up to 15 values of a control from its least to its greatest."""
    if hasattr(control, "options"):
        return [option[1] if isinstance(option, tuple) else option for option in control.options]
    span = np.linspace(control.min, control.max, 15)
    if hasattr(control, "base"):
        return [float(control.base**value) for value in span]
    return sorted({int(value) for value in span}) if isinstance(control.value, int) else [float(v) for v in span]


def sweep(widget):
    """The time of every change over all controls, in milliseconds."""
    times = []
    for control in widget.controls.values():
        before = control.value
        for value in values_of(control):
            if value == control.value:
                continue
            start = time.perf_counter()
            control.value = value
            times.append(1000 * (time.perf_counter() - start))
            if widget.error is not None:
                raise SystemExit(f"{type(widget).__name__}: {widget.error}")
        control.value = before
    return times


def player():
    """An outer-loop player with something to rewind."""
    widget = OuterLoopPlayer()
    widget.step(200)
    return widget


WIDGETS = {
    "InnerLoopExplorer": lambda: InnerLoopExplorer({"random": MLP(seed=0), "other": MLP(seed=1)}),
    "OuterLoopPlayer": player,
    "YouAgainstMachine": lambda: YouAgainstMachine(load_splits("glyphs").test, key=None),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    keep_freed_memory()
    limit_threads()
    rows = []
    for name, make in WIDGETS.items():
        widget = make()
        times = sweep(widget)
        row = {"widget": name, "changes": len(times), "p50_ms": round(float(np.percentile(times, 50)), 1),
               "p95_ms": round(float(np.percentile(times, 95)), 1)}
        rows.append(row)
        print(f"{name:20s} {row['changes']:4d} changes   median {row['p50_ms']:5.1f} ms   p95 {row['p95_ms']:5.1f} ms")
    if options.json:
        options.json.write_text(json.dumps({"command": "python benchmarks/widgets.py", "commit": commit(),
                                            "versions": versions(), "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
