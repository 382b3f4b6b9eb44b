"""Points over seeds are the means and t intervals of the rows."""

import numpy as np
import pytest

from mlcourse.plots.seeds import points
from mlcourse.plots.static import blank
from mlcourse.rows import frame
from mlcourse.statistics import t_interval

STYLES = {"b": dict(color="#000000", marker="o", linestyle="-"), "a": dict(color="#0072B2", marker="s", linestyle=":"),
          "absent": dict(color="#D55E00", marker="x", linestyle="-")}


def test_means_intervals_and_the_order_are_those_of_the_rows():
    values = {("a", 0): [1.0, 3.0, 8.0], ("a", 5): [2.0, 2.0, 5.0], ("b", 5): [4.0, 6.0, 5.0]}
    rows = [{"arm": arm, "k": k, "seed": seed, "accuracy": value + part} for (arm, k), each in values.items()
            for seed, value in enumerate(each) for part in (-0.5, 0.5)]      # two draws of a seed are averaged first
    axes = blank(4, 3).subplots()
    points(axes, frame(rows), "k", "accuracy", "arm", STYLES, [0, 5], apart=0.2)
    assert axes.get_legend_handles_labels()[1] == ["b", "a"]
    bars = [line.get_xydata() for line in axes.lines if len(line.get_xydata()) > 2]
    for (arm, k), each in values.items():
        interval, place = t_interval(each), [0, 5].index(k) + (0.1 if arm == "a" else -0.1)
        ends = [(interval.low, interval.high) == pytest.approx((np.nanmin(bar[:, 1]), np.nanmax(bar[:, 1]))) for bar in bars
                if np.nanmean(bar[:, 0]) == pytest.approx(place)]
        assert any(ends), (arm, k)
        assert any(np.allclose(point, (place, np.mean(each))) for line in axes.lines for point in line.get_xydata())


def test_one_seed_has_points_and_no_interval():
    axes = blank(4, 3).subplots()
    points(axes, frame([{"arm": "a", "k": k, "seed": 0, "accuracy": 1.0 + k} for k in (0, 1)]), "k", "accuracy", "arm",
           STYLES, [0, 1])
    assert any(np.allclose(line.get_xydata(), [(0, 1.0), (1, 2.0)]) for line in axes.lines)
