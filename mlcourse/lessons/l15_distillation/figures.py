"""The figures of lesson 15."""

from __future__ import annotations

import matplotlib
import numpy as np

from mlcourse.plots.static import Picture, blank, picture
from mlcourse.plots.style import BLACK, GREY, RC, SERIES
from mlcourse.statistics import columns, paired_difference, t_interval

Rows = list[dict]


def by_seed(rows: Rows, part: str, arm: str, field: str, *, width: int | None = None, temperature: float | None = None,
            data: str = "digits") -> np.ndarray:
    """The numbers of an arm in order of their seeds. width, temperature: None where the arm has one only."""
    found = {row["seed"]: row[field] for row in rows
             if (row["part"], row["data"], row["arm"]) == (part, data, arm) and field in row
             and width in (None, row["width"]) and temperature in (None, row["temperature"])}
    return np.array([found[seed] for seed in sorted(found)], float)


def study_picture(rows: Rows) -> Picture:
    """What `mlcourse study distillation` draws: accuracy over the student's size, accuracy over the temperature, and
    the errors of a student that never saw a 3. Raises ValueError where rows are missing."""
    try:
        return _study_picture(rows)
    except (ValueError, IndexError) as error:
        raise ValueError("the picture of this study needs the parts domains, left out and cost, of at least two seeds "
                         "of each; run mlcourse study distillation first") from error


def _study_picture(rows: Rows) -> Picture:
    alt: list[str] = []
    figure = blank(11, 3.9)
    with matplotlib.rc_context(RC):
        panels = figure.subplots(1, 3, width_ratios=(1.25, 1, 1.1))
        title = _sizes(panels[0], rows, alt)
        figure.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
        _temperatures(panels[1], rows, alt)
        _left_out(panels[2], rows, alt)
    return picture(figure, f"{title}. {'; '.join(alt)}.")


def _points(axes, at: list, values: list[np.ndarray], style: dict, label: str, alt: list[str]) -> None:
    if min(map(len, values)) < 2:
        raise ValueError(f"{label}: one seed has no interval")
    found = [t_interval(v) for v in values]
    mean, half = columns(found)
    axes.errorbar(at, mean, yerr=half, **style, capsize=3, ms=5, label=label)
    alt += [f"{label}, {x:g}: {value.text(tight=True)}" for x, value in zip(at, found)]


def _line(axes, values: np.ndarray, style: dict, label: str, alt: list[str]) -> None:
    axes.axhline(values.mean(), lw=1.4, label=label, **style)
    alt.append(f"{label} {values.mean():.1f}")


def _sizes(axes, rows: Rows, alt: list[str]) -> str:
    widths = sorted({row["width"] for row in rows if row["part"] == "domains" and row["arm"] == "distilled"})
    (temperature,) = {row["temperature"] for row in rows if row["arm"] == "other teacher"}
    cost = {row["width"]: row["milliseconds"] for row in rows if row["part"] == "cost"}
    of = lambda arm, **more: [by_seed(rows, "domains", arm, "accuracy", width=width, **more) for width in widths]
    distilled, plain = of("distilled", temperature=temperature), of("source labels")
    for values, style, label in ((distilled, SERIES[0], "distilled, no label of the target"),
                                 (of("source labels, AdaBN"), SERIES[2], "source labels, AdaBN"),
                                 (plain, SERIES[1], "source labels")):
        _points(axes, widths, values, style, label, alt)
    axes.set(xscale="log", xlabel="filters of each layer; below: ms a picture", ylim=(0, 100),
             ylabel="accuracy on UCI digits (%)", title="Size of the student")
    axes.set_xticks(widths, [f"{width}\n{cost[width]:.2f}" for width in widths])
    axes.minorticks_off()
    axes.grid(True)
    (chosen,) = {row["arm"] for row in rows if row.get("chosen") and row["part"] == "domains"}
    big = by_seed(rows, "domains", chosen, "accuracy")
    _line(axes, big, dict(color=BLACK, ls="--"), "the teacher, 64 filters", alt)
    axes.legend(loc="lower right", fontsize=7.5)
    least = min(a.mean() - b.mean() for a, b in zip(distilled, plain))
    return (f"Distilled, a student of {widths[0]} to {widths[-1]} filters gains {least:.0f} points or more over "
            f"the source's labels, the average of {len(distilled[0])} seeds")


def _temperatures(axes, rows: Rows, alt: list[str]) -> None:
    (width,) = {row["width"] for row in rows if row["arm"] == "first choices"}
    temperatures = sorted({row["temperature"] for row in rows
                           if (row["part"], row["arm"], row["width"]) == ("domains", "distilled", width)})
    values = [by_seed(rows, "domains", "distilled", "accuracy", width=width, temperature=t) for t in temperatures]
    _points(axes, temperatures, values, SERIES[0], "soft targets", alt)
    _line(axes, by_seed(rows, "domains", "first choices", "accuracy"), dict(color=GREY, ls=":"),
          "the teacher's first choices alone", alt)
    axes.set(xscale="log", xlabel="temperature T", ylim=(0, 100))
    best = temperatures[int(np.argmax([v.mean() for v in values]))]
    axes.set_title(f"{width} filters: best at T = {best:g}")
    axes.set_xticks(temperatures, [f"{t:g}" for t in temperatures])
    axes.minorticks_off()
    axes.grid(True)
    axes.legend(loc="lower left", fontsize=7.5)


def _left_out(axes, rows: Rows, alt: list[str]) -> None:
    names = (("errors", "as it is"), ("errors_train", "its bias shifted"),
             ("errors_test", "the shift chosen on the test half"))
    temperatures = sorted({row["temperature"] for row in rows if row["arm"] == "left out"})
    share = lambda field, t: 100 * (by_seed(rows, "left out", "left out", field, temperature=t)
                                    / by_seed(rows, "left out", "left out", "pictures", temperature=t))
    for (field, name), style in zip(names, SERIES):
        _points(axes, temperatures, [share(field, t) for t in temperatures], style, name, alt)
    of_teacher = lambda field: by_seed(rows, "left out", "teacher, AdaBN", field)
    _line(axes, 100 * of_teacher("errors") / of_teacher("pictures"), dict(color=BLACK, ls="--"), "the teacher", alt)
    last = temperatures[-1]
    before, after = (share(field, last).mean() for field in ("errors", "errors_train"))
    axes.set(xscale="log", xlabel="temperature T", ylabel="errors on UCI digits (%)", ylim=(0, 17),
             title=f"Never saw a 3: {before:.1f} % → {after:.1f} % at T = {last:g}")
    axes.set_xticks(temperatures, [f"{t:g}" for t in temperatures])
    axes.minorticks_off()
    axes.grid(True)
    axes.legend(loc="upper right", fontsize=7.5)


def domain_bars(rows: Rows, width: int = 8) -> Picture:
    """Accuracy on the target of the students of one width, by what they learned from, with intervals over seeds."""
    arms = (("source labels", "labels of the source"), ("source labels, AdaBN", "the same, with AdaBN"),
            ("other teacher", "distilled from the other teacher"), ("distilled", "distilled from the chosen teacher"),
            ("first choices", "its first choices alone"), ("target labels", "labels of the target"))
    temperature = next(row["temperature"] for row in rows if row["arm"] == "other teacher")
    values = {name: by_seed(rows, "domains", arm, "accuracy", width=width,
                            temperature=temperature if arm == "distilled" else None) for arm, name in arms}
    (chosen,) = {row["arm"] for row in rows if row.get("chosen") and row["part"] == "domains"}
    gain = paired_difference(values["distilled from the chosen teacher"], values["labels of the source"])
    title = (f"{width} filters: distilled without a label of the target, {gain.text(0)} points above the "
             "source's labels")
    figure = blank(8, 3.1)
    alt = []
    with matplotlib.rc_context(RC):
        figure.suptitle(title, x=0.01, ha="left", fontsize=10.5)
        axes = figure.subplots()
        axes.grid(True, axis="x")
        for y, (name, of) in enumerate(reversed(values.items())):
            style = SERIES[1] if "labels of the target" in name else SERIES[0]
            value = t_interval(of)
            axes.errorbar(value.mean, y, xerr=value.half, fmt=style["marker"], color=style["color"], capsize=3, ms=6)
            axes.annotate(f"{value.mean:.0f}", (value.mean, y), (0, 6), textcoords="offset points", ha="center",
                          fontsize=8, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8})
            alt.append(f"{name} {value.text(tight=True)}")
        big = by_seed(rows, "domains", chosen, "accuracy").mean()
        axes.axvline(big, color=BLACK, ls="--", lw=1.3, label="the chosen teacher, 64 filters")
        axes.axvline(10, color=GREY, ls=":", lw=1.3, label="chance")
        axes.set_yticks(range(len(values)), list(reversed(values)))
        axes.set(xlim=(0, 100), ylim=(-0.5, len(values) - 0.3),
                 xlabel="accuracy on UCI digits, typeset digits as source (%)")
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return picture(figure, f"{title}. {'; '.join(alt)}; the chosen teacher {big:.1f}.")
