"""The figures of lesson 05, and the pictures of its two studies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
import torch

from mlcourse.episode import Episode
from mlcourse.plots.static import Picture, blank, picture
from mlcourse.plots.style import BLACK, BLUE, GREY, QUERY, RC, SERIES, SUPPORT, VERMILION, about
from mlcourse.statistics import t_interval


def rate_sweep(rates: Sequence[float], losses: Mapping[str, Sequence[float]], own: float) -> Picture:
    """The query loss after one step over the rate of one tensor, the others at `own`, the rate that θ was trained with.
    rates: of any sign. losses: tensor → a loss for each of `rates`."""
    lowest = {name: int(np.nanargmin(values)) for name, values in losses.items()}
    below = [name for name, at in lowest.items() if rates[at] < 0]
    title = f"Lowest error at a rate below zero: {', '.join(below) or 'no tensor'}"
    figure = blank(7, 3.4)
    with matplotlib.rc_context(RC):
        axes = figure.subplots()
        axes.grid(True)
        axes.axvline(0, color=BLACK, lw=0.8)
        axes.axvline(own, color=GREY, ls="--", lw=1.2)
        for i, ((name, values), style) in enumerate(zip(losses.items(), SERIES)):
            # each wider than those above it, so that none is hidden
            axes.plot(rates, values, **style, lw=1.6 + 0.35 * i, ms=7 + 1.5 * i, mec=BLACK, markevery=[lowest[name]],
                      zorder=3 - 0.1 * i, label=name)
        axes.set_xscale("symlog", linthresh=1e-3, linscale=0.3)
        ticks = [sign * 10.0**power for sign in (-1, 1) for power in (-1, -2, -3)]
        axes.set_xticks([0, *ticks], ["0", *(f"{tick:g}" for tick in ticks)])
        axes.minorticks_off()
        axes.set(yscale="log", xlabel=f"rate of one tensor (dashed: {own:g}, the rate of all others and of training)",
                 ylabel="mean squared error after one step", title=title, ylim=(None, 10))
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), title="the rate of (mark:\nlowest error)",
                    markerscale=0.75)
    points = "; ".join(f"{name} at {about(rates[at])}" for name, at in lowest.items())
    return picture(figure, f"{title}. Lowest points: {points}.")


def granularity(rows: list[dict], arms: Sequence[str], shot: int = 10) -> Picture:
    """Mean squared error after one step, 95 % t intervals over seeds.

    arms: of `mlcourse study rates`, from coarse to fine: the fixed rate first, at the end that of six rates and that of
    one for each weight.
    """
    found = by_arm(tested(rows, shot), "mse")
    fixed, six, each = (f"{np.mean(found[arms[i]]):.2f}" for i in (0, -2, -1))
    title = f"Six rates, then one for each weight: error {fixed} → {six} → {each}"
    label = f"mean squared error after one step on {shot} points"
    return _bars({arm: found[arm] for arm in arms}, title, label, 3)


def pipeline(rows: list[dict], domain: str = "digits") -> Picture:
    """Accuracy of every arm of `mlcourse study meta-transfer` on one domain, after the steps that it was made for (1
    for those trained with one), 95 % t intervals over seeds."""
    chosen = [r for r in rows if r["split"] != "val" and r["domain"] == domain and r["steps"] != 5]
    found = by_arm(chosen, "accuracy")
    order = sorted(found, key=lambda arm: -np.mean(found[arm]))
    one_step = [np.mean(found[arm]) for arm in {row["arm"] for row in chosen if row["steps"] == 1}]
    title = (f"Glyphs → {domain}: the {len(one_step)} meta-trained arms reach {min(one_step):.1f} to "
             f"{max(one_step):.1f} %")
    label = f"5-way 1-shot accuracy on {domain}, in per cent"
    return _bars({arm: found[arm] for arm in order}, title, label, 1, chance=20)


def tested(rows: Sequence[dict], shot: int = 10) -> list[dict]:
    """The rows of `mlcourse study rates` on test tasks of `shot` points."""
    return [row for row in rows if row["split"] == "test" and row["shot"] == shot]


def by_arm(rows: list[dict], value: str) -> dict[str, np.ndarray]:
    """The values of each arm, one for each seed in the order of the seeds. Raises ValueError without rows."""
    if not rows:
        raise ValueError("there are no rows to show; run the study first")
    arms = dict.fromkeys(row["arm"] for row in rows)
    return {arm: np.array([r[value] for r in sorted(rows, key=lambda r: r["seed"]) if r["arm"] == arm]) for arm in arms}


def _bars(found: Mapping[str, np.ndarray], title: str, xlabel: str, digits: int,
          chance: float | None = None) -> Picture:
    said = []
    figure = blank(8.4, 1.2 + 0.4 * len(found))
    with matplotlib.rc_context(RC):
        axes = figure.subplots()
        top = max(float(values.max()) for values in found.values())
        for at, (arm, values) in enumerate(found.items()):
            value = t_interval(values)
            mean, half = value.mean, float(np.nan_to_num(value.half))
            axes.barh(at, mean, height=0.62, color=BLUE, alpha=0.75)
            interval = axes.errorbar(mean, at, xerr=half, fmt="none", ecolor=BLACK, elinewidth=1.5, capsize=3)
            seed, = axes.plot(values, np.full(len(values), at), ls="", marker="|", ms=7, color=VERMILION)
            axes.annotate(value.text(digits), (max(mean + half, values.max()), at), (6, 0),
                          textcoords="offset points", va="center", fontsize=9)
            said.append(f"{arm} {value.text(digits)}")
        shown = {"one seed": seed, f"95 % t interval over {len(values)} seeds": interval}
        if chance is not None:
            shown["chance"] = axes.axvline(chance, color=GREY, ls="--", lw=1.4)
        axes.set_yticks(range(len(found)), list(found))
        axes.set(xlim=(0, 1.24 * top), ylim=(len(found) - 0.4, -0.6), xlabel=xlabel, title=title)
        figure.legend(shown.values(), shown.keys(), loc="outside lower right", ncols=3)
    return picture(figure, f"{title}. " + "; ".join(said) + ".")


def instruments(episode: Episode) -> Picture:
    """A 1-shot episode of sequences: for each class its support sample, and one query sample below it."""
    support, query = (torch.stack([x[y == label][0].flatten() for label in range(episode.way)])
                      for x, y in ((episode.support_x, episode.support_y), (episode.query_x, episode.query_y)))
    own = int((torch.cdist(query, support).argmin(1) == torch.arange(episode.way)).sum())
    title = f"By distance, {own} of {episode.way} queries are nearest to their own instrument"
    figure = blank(9, 3)
    with matplotlib.rc_context(RC):
        figure.suptitle(title, x=0.01, ha="left", fontsize=10.5)
        axes = figure.subplots(2, episode.way, sharex=True, sharey=True)
        for row, (strokes, style) in enumerate(((support, SUPPORT), (query, QUERY))):
            for label, stroke in enumerate(strokes):
                axes[row, label].plot(stroke.numpy(), color=style["color"], marker=style["marker"], ms=3, lw=1.2)
                axes[row, label].grid(True)
                axes[0, label].set_title(f"instrument {label}", fontsize=9.5)
        axes[0, 0].set_ylabel("support")
        axes[1, 0].set_ylabel("a query")
        figure.supylabel("amplitude", fontsize=9.5)
        figure.supxlabel("time step", fontsize=9.5)
    return picture(figure, f"{title}. {episode.way} instruments, a support sample above and a query sample below.")
