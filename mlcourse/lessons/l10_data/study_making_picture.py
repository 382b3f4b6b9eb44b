"""The picture of `mlcourse study making`."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib

from mlcourse.lessons.l10_data.study_making_arms import ALONE, BODIES, FEATURES, MADE, PIXELS, QUERY, VIEWS
from mlcourse.lessons.l10_data.study_making_results import gain, trained_gain
from mlcourse.plots.static import Picture, blank, picture
from mlcourse.plots.style import GREY, RC, SERIES

CLASSIFIERS = {FEATURES: "ridge on features", PIXELS: "ridge on pixels"}


def making(rows: Sequence[dict]) -> Picture:
    """Gains in points with 95 % t intervals over seeds, paired: of made pictures over supports alone, of generators
    over as many hand-made views, and of a body's training. Raises ValueError where rows are missing."""
    arms = lambda over: [(name, arm, over) for name in CLASSIFIERS for arm in MADE if arm != over]
    panels = (("Made pictures, less supports alone", arms(ALONE)), ("Generators, less as many views", arms(VIEWS)))
    figure, said = blank(11, 4.4), []
    through = [gain(rows, QUERY, ALONE, kind).text(1, sign=True) for kind in (PIXELS, FEATURES)]
    title = (f"One drawing a class and a set VAE's samples, learned by the query loss: {through[0]} points on pixels, "
             f"{through[1]} on features")
    with matplotlib.rc_context(RC):
        figure.suptitle(title, x=0.01, ha="left", fontsize=11)
        axes = figure.subplots(1, 3)
        for one, (name, arms) in zip(axes, panels, strict=False):
            draw(one, name, [f"{arm}\n{CLASSIFIERS[kind]}" for kind, arm, _ in arms],
                 {shot: [gain(rows, arm, over, kind, shot) for kind, arm, over in arms] for shot in (1, 5)}, said)
        draw(axes[2], "Training of the body, less as it is", list(BODIES[1:]),
             {shot: [trained_gain(rows, arm, shot=shot) for arm in BODIES[1:]] for shot in (1, 5)}, said)
    return picture(figure, f"{title}. {'; '.join(said)}.")


def draw(axes, title: str, names: list[str], gains: dict[int, list], said: list[str]) -> None:
    """One panel; what it shows is added to `said`."""
    for (shot, found), style in zip(gains.items(), SERIES, strict=False):
        axes.errorbar([each.mean for each in found], range(len(names)), xerr=[each.half for each in found],
                      fmt=style["marker"], color=style["color"], capsize=3, ms=5, label=f"{shot}-shot")
        said += [f"{title}, {name.replace(chr(10), ', ')}, {shot}-shot: {each.text(1, sign=True)}"
                 for name, each in zip(names, found, strict=True)]
    axes.axvline(0, color=GREY, lw=1.2)
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set(title=title, xlabel="points", ylim=(len(names) - 0.5, -0.5))
    axes.grid(True, axis="x")
    axes.legend(loc="best", fontsize=8)
