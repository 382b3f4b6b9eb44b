"""Points with intervals over seeds, from the rows of a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import seaborn

from mlcourse.statistics import t_interval


def points(axes, table: pd.DataFrame, x: str, y: str, hue: str, styles: Mapping[str, Mapping[str, str]],
           order: Sequence[object], apart: float = 0.5) -> None:
    """A line for each value of `hue` through its means of y at each x, with 95 % t intervals over seeds; what shares a
    seed is averaged first.

    table: of `rows.frame`, with a column seed. styles: by value of hue, in the order of the legend: color, marker and
    linestyle. order: the values of x from left to right. apart: how far the lines of one x lie from each other in all.
    """
    means = table.groupby([x, hue, "seed"], sort=False)[y].mean().reset_index()
    names = [name for name in styles if name in set(means[hue])]
    bounds = lambda values: (lambda value: (value.low, value.high))(t_interval(values))
    seaborn.pointplot(means, x=x, y=y, hue=hue, order=list(order), hue_order=names, errorbar=bounds, ax=axes,
                      palette={name: styles[name]["color"] for name in names},
                      markers=[styles[name]["marker"] for name in names],
                      linestyles=[styles[name]["linestyle"] for name in names],
                      dodge=apart if len(names) > 1 else False, capsize=0.03, markersize=4.5, linewidth=1.3,
                      err_kws={"linewidth": 1.0})
