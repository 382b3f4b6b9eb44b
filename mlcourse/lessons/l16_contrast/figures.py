"""The figures of lesson 16."""

from __future__ import annotations

import matplotlib
import numpy as np
import torch
from torch import Tensor

from mlcourse.datasets.strokes import draw
from mlcourse.episode.views import draws, view
from mlcourse.plots.static import Picture, blank, picture, strips
from mlcourse.plots.style import BLACK, GREY, RC, SERIES
from mlcourse.probes import class_rows
from mlcourse.statistics import columns, t_interval

Rows = list[dict]
LEARNED = ("two encoders", "one encoder, same pairs", "one encoder, no pairs across", "ProtoNet, same pairs",
           "ProtoNet, chalk inverted", "ProtoNet", "SupCon", "SimCLR", "classifier")
WHERE = (("test", "both on paper"), ("chalk", "both in chalk"), ("across", "paper → chalk"), ("digits", "UCI digits"))
TOLD = ("pixels", "pixels, chalk inverted", "random", "SimCLR", "ProtoNet", "ProtoNet, chalk inverted",
        "ProtoNet, same pairs", "one encoder, no pairs across", "one encoder, same pairs", "two encoders")
NAMES = {"random": "random (untrained)"}


def by_seed(rows: Rows, part: str, arm: str, field: str, setting: float = 0) -> np.ndarray:
    """The numbers of an arm in order of their seeds; shares as per cent."""
    found = {row["seed"]: row[field] for row in rows
             if (row["part"], row["arm"], row["setting"]) == (part, arm, setting) and field in row}
    return 100 * np.array([found[seed] for seed in sorted(found)])


def views(images: Tensor) -> Picture:
    """Twelve of uint8 training images (M, 1, 28, 28), and two views of each as SimCLR sees them."""
    generator = torch.Generator().manual_seed(0)
    some = images[torch.randperm(len(images), generator=generator)[:12]].float() / 255
    seen = {f"view {k}": view(some, draws(12, generator), strength=0.75) for k in (1, 2)}
    return strips({"picture": some, **seen}, "Two views of a picture: changed, and mostly still the same character")


def two_hands(images: Tensor, strokes: Tensor, labels: Tensor) -> Picture:
    """Twelve characters of `pictures_and_strokes`, each as a picture and as another drawing's pen path."""
    rows = class_rows(labels)
    rows = rows[torch.randperm(len(rows), generator=torch.Generator().manual_seed(2))[:12]]
    return strips({"picture": images[rows[:, 0]].float() / 255, "stroke": draw(strokes[rows[:, 1]])},
                  "One character, two hands: a picture, and another drawing's pen path (redrawn to look at)")


def twelve_tunes(scores: Tensor, sounds: Tensor) -> Picture:
    """Twelve of the tunes that `tunes.tunes` makes with two takes each: the score, and the spectrogram of a take."""
    title = "Twelve tunes: the score, and the spectrogram of its sound"
    shown = strips({"score": scores[:24:2].float() / 255, "sound": sounds[:24:2].float() / 255}, title)
    return Picture(shown.png, f"{title}, below it.", shown.width)


def table(rows: Rows) -> str:
    """The 5-way 1-shot accuracy of the arms that the lesson tells of, with intervals over seeds."""
    lines = [f"{'% (95 % interval)':30s}" + "".join(f"{name:16s}" for _, name in WHERE[:3]).rstrip()]
    for arm in TOLD:
        numbers = [t_interval(by_seed(rows, "features", arm, field)).text(tight=True) for field, _ in WHERE[:3]]
        lines.append(f"{NAMES.get(arm, arm):30s}" + "".join(f"{text:16s}" for text in numbers).rstrip())
    return "\n".join(lines)


def features_table(rows: Rows) -> Picture:
    """5-way 1-shot accuracy of the arms' frozen features, in domain and out of it, with intervals over seeds."""
    figure = blank(10, 4.4)
    alt = []
    mean = lambda arm: by_seed(rows, "features", arm, "across").mean()
    title = (f"Paper → chalk: two encoders on pairs {mean('two encoders'):.0f} %, pixels with chalk inverted "
             f"{mean('pixels, chalk inverted'):.0f} %, ProtoNet on the same pairs "
             f"{mean('ProtoNet, same pairs'):.0f} %")
    with matplotlib.rc_context(RC):
        figure.suptitle(title, x=0.01, ha="left", fontsize=11)
        panels = figure.subplots(1, 4, sharey=True)
        arms = ("random", *reversed(LEARNED))
        for axes, (field, name) in zip(panels, WHERE, strict=True):
            axes.grid(True, axis="x")
            pixels = by_seed(rows, "features", "pixels", field)[0]
            axes.axvline(pixels, color=BLACK, ls="--", lw=1.3, label="raw pixels")
            axes.axvline(20, color=GREY, ls=":", lw=1.3, label="chance")
            for y, arm in enumerate(arms):
                value = t_interval(by_seed(rows, "features", arm, field))
                axes.errorbar(value.mean, y, xerr=value.half, fmt=SERIES[0]["marker"], color=SERIES[0]["color"],
                              capsize=3, ms=6, label="mean over seeds, 95 % interval" if y == 0 else None)
                axes.annotate(f"{value.mean:.0f}", (value.mean, y), (0, 7), textcoords="offset points", ha="center",
                              fontsize=8, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8})
                alt.append(f"{arm} {name} {value.text(tight=True)}")
            alt.append(f"pixels {name} {pixels:.1f}")
            axes.set(xlim=(0, 105), title=name, ylim=(-0.6, len(arms) - 0.3), xlabel="accuracy (%)")
            axes.set_yticks(range(len(arms)), arms)
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return picture(figure, f"5-way 1-shot accuracy of frozen features. {title}. " + "; ".join(alt)
                   + ". Dashed: pixels; dotted: chance.")


def sweeps(rows: Rows) -> Picture:
    """SimCLR's accuracy over the temperature and over the number of pictures that are each other's negatives."""
    seeds = sorted({row["seed"] for row in rows if row["part"] == "temperature"})
    centre = {field: by_seed(rows, "features", "SimCLR", field)[:len(seeds)] for field in ("val", "test")}
    figure = blank(8, 3.2)
    alt = []
    with matplotlib.rc_context(RC):
        panels = figure.subplots(1, 2, sharey=True)
        parts = (("temperature", 0.1, "temperature τ"), ("negatives", 64, "pictures that compete in one loss"))
        for axes, (part, own, label) in zip(panels, parts, strict=True):
            settings = sorted({row["setting"] for row in rows if row["part"] == part} | {own})
            for (field, name), style in zip((("val", "validation scripts"), ("test", "test scripts")), SERIES):
                values = [centre[field] if at == own else by_seed(rows, part, "SimCLR", field, at) for at in settings]
                found = [t_interval(v) for v in values]
                mean, half = columns(found)
                beside = np.array(settings) * (0.97 if field == "val" else 1.03)
                axes.errorbar(beside, mean, yerr=half, **style, capsize=3, label=name)
                alt += [f"{name}, {label} {at:g}: {value.text(tight=True)}" for at, value in zip(settings, found)]
                if field == "val":
                    best = settings[int(np.argmax(mean))]
            axes.set(xscale="log", xlabel=label)
            axes.set_xticks(settings, [f"{at:g}" for at in settings])
            axes.minorticks_off()
            axes.grid(True)
            axes.set_title(f"Highest validation mean at {best:g}")
        panels[0].set_ylabel("5-way 1-shot accuracy (%)")
        panels[1].legend(loc="lower right", title=f"mean, 95 % t interval, {len(seeds)} seeds", alignment="left")
    return picture(figure, f"SimCLR over the temperature and the number of negatives. {'; '.join(alt)}.")


def study_picture(rows: Rows) -> Picture:
    """What `mlcourse study contrast` draws: the features, where all their rows are there."""
    have = {(row["arm"]) for row in rows if row["part"] == "features"}
    missing = {"random", "pixels", "pixels, chalk inverted", *LEARNED} - have
    seeds = [len(by_seed(rows, "features", arm, "test")) for arm in LEARNED]
    if missing or min(seeds) < 2:
        raise ValueError("the picture of this study needs the part features of at least two seeds; run mlcourse study "
                         "contrast --part features first")
    return features_table(rows)
