"""The figures of lesson 15, and its table."""

from __future__ import annotations

import matplotlib
import numpy as np

from mlcourse.plots.static import Picture, blank, picture
from mlcourse.plots.style import BLACK, GREY, RC, SERIES
from mlcourse.statistics import Estimate, columns, paired_difference, t_interval

Rows = list[dict]
USUAL = 4.0             # the temperature of arms that have several
THREES = 91             # in the test half of the UCI digits
NAMES = {"distilled": "soft targets", "of the AdaBN teacher": "AdaBN teacher's soft targets"}
ARMS = {arm: NAMES.get(arm, arm) for arm in ("source labels", "source labels, AdaBN", "own labels", "first choices",
                                             "distilled", "of the AdaBN teacher", "target labels")}
PAIRS = (("distilled", "source labels"), ("distilled", "own labels"), ("distilled", "first choices"),
         ("distilled", "source labels, AdaBN"), ("first choices", "source labels, AdaBN"),
         ("of the AdaBN teacher", "source labels, AdaBN"), ("of the AdaBN teacher", "distilled"),
         ("teacher", "source labels"))
MARKS = "mean, 95 % t interval"


def by_seed(rows: Rows, part: str, arm: str, field: str, *, width: int | None = None,
            temperature: float | None = None) -> np.ndarray:
    """The numbers of an arm in order of their seeds. width, temperature: None where the arm has one only."""
    found = {row["seed"]: row[field] for row in rows
             if (row["part"], row["arm"]) == (part, arm) and field in row
             and width in (None, row["width"]) and temperature in (None, row["temperature"])}
    return np.array([found[seed] for seed in sorted(found)], float)


def reached(rows: Rows, arm: str, width: int | None = 8, temperature: float | None = None) -> np.ndarray:
    """The accuracies (%) on handwriting of an arm of the part "domains", by seed: of 8 filters and, where it has
    several temperatures, of the usual one, unless others are given; a teacher has one width only."""
    usual = USUAL if arm == "distilled" and temperature is None else temperature
    return by_seed(rows, "domains", arm, "accuracy", width=None if arm.startswith("teacher") else width,
                   temperature=usual)


def less(rows: Rows, one: str, other: str, width: int = 8) -> Estimate:
    """By how many points students of `one` read more than those of `other`, paired over the seeds; both by their names
    in the table. Raises ValueError for another name."""
    arms = {name: arm for arm, name in ARMS.items()}
    if unknown := [name for name in (one, other) if name not in arms]:
        raise ValueError(f"the table has no row {unknown[0]!r}; its rows are {', '.join(arms)}")
    return paired_difference(*(reached(rows, arms[name], width) for name in (one, other)))


def study_picture(rows: Rows) -> Picture:
    """What `mlcourse study distillation` draws: accuracy over the student's size, accuracy over the temperature, and
    the errors of a student that never saw a 3. Raises ValueError where rows are missing."""
    try:
        return _study_picture(rows)
    except (ValueError, IndexError) as error:
        raise ValueError("the picture of this study needs the parts domains and left out, of at least two seeds "
                         "of each; run mlcourse study distillation first") from error


def _study_picture(rows: Rows) -> Picture:
    alt: list[str] = []
    figure = blank(11, 3.9)
    with matplotlib.rc_context(RC):
        panels = figure.subplots(1, 3, width_ratios=(1.2, 1, 1.1))
        title = _sizes(panels[0], rows, alt)
        figure.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
        _temperatures(panels[1], rows, alt)
        _left_out(panels[2], rows, alt)
    return picture(figure, f"{title}. {'; '.join(alt)}.")


def _points(axes, at: list, values: list[np.ndarray], style: dict, label: str, alt: list[str],
            aside: float = 1) -> None:
    if min(map(len, values)) < 2:
        raise ValueError(f"{label}: one seed has no interval")
    found = [t_interval(v) for v in values]
    mean, half = columns(found)
    axes.errorbar([aside * x for x in at], mean, yerr=half, **style, capsize=3, ms=5, label=label)
    alt += [f"{label}, {x:g}: {value.text(tight=True)}" for x, value in zip(at, found)]


def _line(axes, values: np.ndarray, style: dict, label: str, alt: list[str]) -> None:
    axes.axhline(values.mean(), lw=1.4, label=label, **style)
    alt.append(f"{label} {values.mean():.1f}")


def _logarithmic(axes, ticks: list, **settings) -> None:
    axes.set(xscale="log", **settings)
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.grid(True)


def _sizes(axes, rows: Rows, alt: list[str]) -> str:
    widths = sorted({row["width"] for row in rows if row["part"] == "domains" and row["arm"] == "distilled"})
    of = lambda arm: [reached(rows, arm, width) for width in widths]
    for arm, style, dodge in (("distilled", SERIES[0], 1), ("own labels", SERIES[2], 1.11),
                              ("source labels", SERIES[1], 0.9)):
        _points(axes, widths, of(arm), style, ARMS[arm], alt, dodge)
    _line(axes, reached(rows, "teacher"), {"color": BLACK, "ls": "--"}, "the teacher", alt)
    _logarithmic(axes, widths, xlabel="filters of each layer of the student", ylim=(0, 100),
                 ylabel="accuracy on handwriting (%)", title="Size of the student")
    axes.legend(loc="lower right", fontsize=7.5, title=MARKS, title_fontsize=7.5, alignment="left")
    gains = [paired_difference(a, b).text(0, sign=True) for a, b in zip(of("distilled"), of("source labels"))]
    return (f"Soft targets less source labels, {', '.join(map(str, widths))} filters: {', '.join(gains)} points")


def _temperatures(axes, rows: Rows, alt: list[str]) -> None:
    temperatures = sorted({row["temperature"] for row in rows if (row["part"], row["arm"]) == ("domains", "distilled")})
    values = [reached(rows, "distilled", temperature=t) for t in temperatures]
    _points(axes, temperatures, values, SERIES[0], "soft targets", alt)
    _line(axes, reached(rows, "first choices"), {"color": GREY, "ls": ":"}, "first choices", alt)
    _logarithmic(axes, temperatures, xlabel="temperature τ", ylim=(0, 100), ylabel="accuracy on handwriting (%)")
    ends = paired_difference(values[-1], values[0]).text(sign=True)
    axes.set_title(f"8 filters, τ = 20 less τ = 1: {ends}")
    axes.legend(loc="lower left", fontsize=7.5, title=MARKS, title_fontsize=7.5, alignment="left")


def _left_out(axes, rows: Rows, alt: list[str]) -> None:
    names = (("errors", "as it is"), ("errors_train", "its bias shifted"),
             ("errors_test", "the shift chosen on the test half"))
    temperatures = sorted({row["temperature"] for row in rows if row["arm"] == "left out"})
    share = lambda field, t: 100 * left_out(rows, field, t) / left_out(rows, "pictures", t)
    for (field, name), style, dodge in zip(names, SERIES, (1, 0.93, 1.07)):
        _points(axes, temperatures, [share(field, t) for t in temperatures], style, name, alt,
                dodge)
    of_teacher = lambda field: by_seed(rows, "left out", "teacher", field)
    _line(axes, 100 * of_teacher("errors") / of_teacher("pictures"), {"color": BLACK, "ls": "--"}, "the teacher", alt)
    last = temperatures[-1]
    before, after = (share(field, last).mean() for field in ("errors", "errors_train"))
    _logarithmic(axes, temperatures, xlabel="temperature τ", ylabel="errors on handwriting (%)", ylim=(0, 18),
                 title=f"Never saw a 3: {before:.1f} % → {after:.1f} % at τ = {last:g}")
    axes.legend(loc="upper right", fontsize=7.5, title=MARKS, title_fontsize=7.5, alignment="left")


def domain_bars(rows: Rows) -> Picture:
    """Accuracy on the target of students of 8 filters, by what they learned from, with intervals over seeds."""
    gain = less(rows, "soft targets", "source labels").text(sign=True)
    title = f"8 filters: soft targets bring {gain} points over source labels"
    figure, alt = blank(8, 3.3), []
    with matplotlib.rc_context(RC):
        figure.suptitle(title, x=0.01, ha="left", fontsize=10.5)
        axes = figure.subplots()
        axes.grid(True, axis="x")
        big = reached(rows, "teacher").mean()
        values = [t_interval(reached(rows, arm)) for arm in ARMS]
        mean, half = columns(values)
        axes.errorbar(mean, range(len(ARMS)), xerr=half, fmt="o", color=SERIES[0]["color"], capsize=3, ms=6,
                      label=MARKS)
        for y, (name, value) in enumerate(zip(ARMS.values(), values)):
            right = value.mean > big            # so that no number stands on the teacher's line
            axes.annotate(f"{value.mean:.0f}", (value.high if right else value.low, y), (5 if right else -5, 0),
                          textcoords="offset points", ha="left" if right else "right", va="center", fontsize=8)
            alt.append(f"{name} {value.text(tight=True)}")
        axes.axvline(big, color=BLACK, ls="--", lw=1.3, label="the teacher")
        axes.axvline(10, color=GREY, ls=":", lw=1.3, label="chance")
        axes.set_yticks(range(len(ARMS)), list(ARMS.values()))
        axes.set(xlim=(0, 100), ylim=(len(ARMS) - 0.5, -0.5), xlabel="accuracy on handwriting (%), five seeds")
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return picture(figure, f"{title}. {'; '.join(alt)}; the teacher {big:.1f}.")


def tight(values: np.ndarray) -> str:
    """A cell of a table without spaces, a dash for no values."""
    return t_interval(values).text(tight=True) if len(values) else "–"


def table(rows: Rows) -> str:
    """Accuracy on handwriting of the students of every width, by what they learned from, as text."""
    widths = sorted({row["width"] for row in rows if row["part"] == "domains" and row["arm"] == "distilled"})
    lines = [f"{'% on handwriting':30s}" + "".join(f"{f'{width} filters':>14s}" for width in widths)]
    for arm, name in ARMS.items():
        cells = (reached(rows, arm, width) for width in widths)
        lines.append(f"{name:30s}" + "".join(f"{tight(each):>14s}" for each in cells))
    big, adapted = (reached(rows, arm) for arm in ("teacher", "teacher, AdaBN"))
    more = paired_difference(adapted, big).text(sign=True, tight=True)
    return "\n".join((*lines, f"the teacher, chosen with this target in view, {tight(big)}; with AdaBN {more}, paired"))


def table_paired(rows: Rows) -> str:
    """The paired differences of PAIRS at every width that both have, as text."""
    widths = sorted({row["width"] for row in rows if row["part"] == "domains" and row["arm"] == "distilled"})
    lines = [f"{'points, paired; filters:':54s}" + "".join(f"{width:12d}" for width in widths)]
    for one, other in PAIRS:
        pairs = [(reached(rows, one, width), reached(rows, other, width)) for width in widths]
        cells = [paired_difference(a, b).text(sign=True, tight=True) if len(a) == len(b) > 0 else "–" for a, b in pairs]
        name = f"{NAMES.get(one, one)} less {NAMES.get(other, other)}"
        lines.append(f"{name:54s}" + "".join(f"{c:>12s}" for c in cells))
    return "\n".join(lines)


def left_out(rows: Rows, field: str, temperature: float) -> np.ndarray:
    """The numbers by seed of the student that never saw a 3, of the larger width."""
    width = max(row["width"] for row in rows if row["arm"] == "left out")
    return by_seed(rows, "left out", "left out", field, width=width, temperature=temperature)


def threes_named(rows: Rows, shifted: str = "", temperature: float = 20.0) -> np.ndarray:
    """The share of the test half's 3s that the student names right, by seed; shifted: "_train" with its bias shifted as
    is best on the teacher's half."""
    return 1 - left_out(rows, f"errors_left_out{shifted}", temperature) / THREES


def table_left_out(rows: Rows) -> str:
    """The errors of the student that never saw a 3, as it is and with its bias shifted, as text."""
    pictures = int(left_out(rows, "pictures", 20.0)[0])
    lines = [f"errors of {pictures} (in brackets, on {THREES} 3s); teacher "
             f"{tight(by_seed(rows, 'left out', 'teacher', 'errors'))}"]
    for tau in sorted({row["temperature"] for row in rows if row["arm"] == "left out"}):
        say = lambda field: tight(left_out(rows, field, tau))
        lines.append(f"τ = {tau:2.0f}: {say('errors')} ({say('errors_left_out')}); shifted by {say('bias_train')}: "
                     f"{say('errors_train')} ({say('errors_left_out_train')})")
    more = paired_difference(*(left_out(rows, "errors_train", tau) for tau in (1.0, 20.0))).text(sign=True, tight=True)
    lines.append(f"once shifted, τ = 1 less τ = 20: {more} errors, paired")
    return "\n".join(lines)
