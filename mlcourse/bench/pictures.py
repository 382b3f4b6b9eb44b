"""The benchmarks' pictures, from their rows: accuracy against minutes, the growth of a meta-step."""

from __future__ import annotations

from itertools import cycle

import matplotlib
import numpy as np
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from mlcourse.plots.static import Picture, blank, picture
from mlcourse.plots.style import BLACK, RC, SERIES, short
from mlcourse.statistics import Estimate, columns, fitted_line, t_interval

NAMES = {"maml": "MAML", "fomaml": "FOMAML", "anil": "ANIL", "meta-sgd": "Meta-SGD", "reptile": "Reptile",
         "protonet": "ProtoNet"}
AXES = {"tasks": "tasks", "steps": "inner steps", "ways": "ways", "width": "filters"}
APART = 1.03        # the factor in minutes between neighbouring methods, so that their intervals can be told apart
STRAIGHT = 0.99     # the R² from which growth is called linear

Runs = dict[float, list[float]]     # the accuracies of all seeds by minutes of training


# ------------------------------------------------------------ against time


def accuracy_against_time(rows: list[dict]) -> Picture:
    """Accuracy in per cent against minutes of training: a line for each method through its means over seeds, every seed
    as a point, 95 % t intervals over seeds (none for a single seed).

    rows: those of `mlcourse bench omniglot`. Of a method, the rows of its longest training count. Raises ValueError
    without rows.
    """
    if not rows:
        raise ValueError("accuracy against minutes needs at least one row, got none")
    series = {name: _longest(own) for name, own in _by_method(rows).items()}
    ranked = sorted(series, key=lambda name: -_end(series[name]).mean)
    title = _ranking(series, ranked)
    figure = blank(9, 4.6)
    with matplotlib.rc_context(RC):
        axes = figure.subplots()
        axes.grid(True)
        lines = {name: _run_line(axes, runs, APART ** (place - (len(series) - 1) / 2), style)
                 for place, ((name, runs), style) in enumerate(zip(series.items(), cycle(SERIES)))}
        _time_axis(axes, sorted({minutes for runs in series.values() for minutes in runs}))
        axes.set_ylabel(f"{rows[0]['way']}-way {rows[0]['shot']}-shot accuracy, test alphabets (%)")
        axes.set_title(title)
        axes.legend([lines[name] for name in ranked], [_said(name, series[name]) for name in ranked],
                    loc="center left", bbox_to_anchor=(1, 0.5), handlelength=3.2, labelspacing=0.8, alignment="left",
                    title="at the end, with the 95 %\ninterval over seeds" + _way_to_predict(rows))
    return picture(figure, f"{title}. Accuracy in % at the end: "
                           f"{'; '.join(_said(name, series[name]) for name in ranked)}.")


def _by_method(rows: list[dict]) -> dict[str, list[dict]]:
    """The rows of each method by the name that the picture shows, with its norm where they differ."""
    several = len({row["norm"] for row in rows}) > 1
    found: dict[str, list[dict]] = {}
    for row in sorted(rows, key=lambda row: (row["method"], row["norm"], row["minutes"], row["seed"])):
        name = NAMES.get(row["method"], row["method"])
        found.setdefault(f"{name}, norm {row['norm']}" if several else name, []).append(row)
    return found


def _way_to_predict(rows: list[dict]) -> str:
    """A line for the legend: the norm that all share, nothing where they differ."""
    norms = {(row["norm"], row["transductive"]) for row in rows}
    if len(norms) > 1:
        return ""
    norm, transductive = norms.pop()
    return f"\n(norm {norm}, {'transductive' if transductive else 'one query at a time'})"


def _longest(rows: list[dict]) -> Runs:
    most, runs = max(row["of_minutes"] for row in rows), {}
    for row in rows:
        if row["of_minutes"] == most:
            runs.setdefault(row["minutes"], []).append(row["accuracy"])
    return runs


def _end(runs: Runs) -> Estimate:
    return t_interval(runs[max(runs)])


def _said(name: str, runs: Runs) -> str:
    return f"{name} {_end(runs).text()}"


def _ranking(series: dict[str, Runs], ranked: list[str]) -> str:
    ends = {max(runs) for runs in series.values()}
    when = f"After {short(ends.pop())} minutes of training" if len(ends) == 1 else "At the end of its training"
    best, worst = ranked[0], ranked[-1]
    said = f"{when} {best} labels {_end(series[best]).mean:.1f} % right"
    return said if best == worst else f"{said}, {worst} {_end(series[worst]).mean:.1f} %"


def _run_line(axes, runs: Runs, apart: float, style: dict):
    """Draw one method; returns its line."""
    minutes = np.array(list(runs)) * apart
    means, halves = columns(map(t_interval, runs.values()))
    for at, values in zip(minutes, runs.values(), strict=True):
        axes.plot([at] * len(values), values, ls="", marker=style["marker"], mfc="none", mec=style["color"], ms=3.5,
                  mew=0.7, alpha=0.6)
    bars = axes.errorbar(minutes, means, yerr=halves, **style, ms=6, lw=1.5, elinewidth=1, capsize=2.5,
                         zorder=3)
    return bars.lines[0]


def _time_axis(axes, minutes: list[float]) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(minutes))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel("minutes of training, evaluation not counted (logarithmic)")
    low, high = axes.get_ylim()
    axes.set_ylim(max(low, 0), min(high, 100))


# ------------------------------------------------------------------ growth


def growth(rows: list[dict]) -> Picture:
    """Milliseconds and megabytes of a meta-step against tasks, inner steps, ways and width: two panels for each axis
    that has rows. Inner steps are shown in both orders, with the line fitted to the second.

    rows: those of `mlcourse bench growth`. Raises ValueError without rows.
    """
    lines = {axis: {order: _line(rows, axis, order) for order in (2, 1)} for axis in AXES}
    lines = {axis: orders for axis, orders in lines.items() if orders[2]}
    if not lines:
        raise ValueError("the growth of a meta-step needs at least one row of second order, got none")
    title = _finding(lines.get("steps"))
    figure = blank(max(8, 1.2 + 2.4 * len(lines)), 5)
    with matplotlib.rc_context(RC):
        figure.suptitle(title, x=0.01, ha="left", fontsize=11.5)
        panels = figure.subplots(2, len(lines), sharex="col", sharey="row", squeeze=False, height_ratios=(2.2, 1))
        for (above, below), (axis, orders) in zip(panels.T, lines.items(), strict=True):
            _times(above, axis, orders)
            _growth_lines(below, orders, "peak_mb")
            above.set_title(f"{_multiple(orders[2], 'value')} {AXES[axis]}, {_multiple(orders[2], 'ms')} time",
                            fontsize=9.5)
            below.set_title(f"{_multiple(orders[2], 'peak_mb')} memory", fontsize=9.5)
            below.set(xlabel=AXES[axis], xlim=(0, None), xticks=_apart(_values(orders[2], "value")))
        panels[0, 0].set(ylabel="milliseconds", ylim=(0, None))
        panels[1, 0].set(ylabel="peak megabytes", ylim=(0, None))
        figure.supxlabel(_fixed(rows), x=0.01, ha="left", fontsize=8.5, color="#555555")
    said = "; ".join(f"{_multiple(line, 'value')} {AXES[axis]} take {_multiple(line, 'ms')} time and "
                     f"{_multiple(line, 'peak_mb')} memory" for axis, line in ((a, o[2]) for a, o in lines.items()))
    return picture(figure, f"{title}. {said}.")


def _fixed(rows: list[dict]) -> str:
    """Where an axis stands while another one varies."""
    at = {axis: next((row[axis] for row in rows if row["axis"] != axis), None) for axis in AXES}
    said = ", ".join(f"{AXES[axis]} {value}" for axis, value in at.items() if value is not None)
    return f"What does not vary: {said}"


def _line(rows: list[dict], axis: str, order: int) -> list[dict]:
    found = (row for row in rows if row["axis"] == axis and row["order"] == order)
    return sorted(found, key=lambda row: row["value"])


def _values(line: list[dict], field: str) -> list[float]:
    return [row[field] for row in line]


def _apart(values: list[float]) -> list[float]:
    """Those that have room for a label on an axis from 0."""
    return [value for value in values if value >= 0.1 * max(values)]


def _growth_lines(axes, orders: dict[int, list[dict]], field: str, **second) -> None:
    axes.grid(True)
    for order, name, style in ((2, "second order", SERIES[0] | second), (1, "first order", SERIES[1])):
        if orders[order]:
            axes.plot(_values(orders[order], "value"), _values(orders[order], field), **style, label=name)


def _times(axes, axis: str, orders: dict[int, list[dict]]) -> None:
    """The panel of milliseconds; with both orders and the fitted line for the inner steps."""
    if axis != "steps":
        _growth_lines(axes, orders, "ms")
        return
    if fit := _fit(orders[2]):
        ends = np.array([0, orders[2][-1]["value"]])
        axes.plot(ends, fit[1] + fit[0] * ends, color=BLACK, lw=1,
                  label=f"{short(fit[1])} ms + {short(fit[0])} ms a step")
    _growth_lines(axes, orders, "ms", **({"linestyle": ""} if fit else {}))
    axes.legend(loc="upper left", fontsize=8, borderaxespad=0.2)


def _fit(line: list[dict]) -> tuple[float, float, float] | None:
    """Slope, intercept and R² of milliseconds against inner steps; None for fewer than 3 rows."""
    return fitted_line(_values(line, "value"), _values(line, "ms")) if len(line) > 2 else None


def _finding(steps: dict[int, list[dict]] | None) -> str:
    fit = _fit(steps[2]) if steps else None
    if fit is None:
        return "Time and memory of one meta-step"
    slope, _, r2 = fit
    first = {row["value"]: row["ms"] for row in steps[1]}
    ratios = [row["ms"] / first[row["value"]] for row in steps[2] if row["value"] in first]
    beside = f", {np.median(ratios):.2f} times as long as first order" if ratios else ""
    if r2 < STRAIGHT:
        return f"Second order is not linear in inner steps (R² {r2:.3f}){beside}"
    return f"Second order is linear in inner steps: {short(slope)} ms each (R² {r2:.4f}){beside}"


def _multiple(line: list[dict], field: str) -> str:
    """How many times the first row's value the last one has: 16 × the."""
    first, last = line[0][field], line[-1][field]
    return f"{short(round(last / first, 1))} × the" if first else "? × the"
