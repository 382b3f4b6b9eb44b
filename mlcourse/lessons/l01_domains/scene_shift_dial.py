"""The scene of the shift dial: the same digits before and after, where their features lie, and what the shift costs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mlcourse.plots.mosaic import ink
from mlcourse.plots.scene import Scene
from mlcourse.plots.style import BLACK, GREY, QUERY, SUPPORT
from mlcourse.plots.surface import Pixels
from mlcourse.statistics import columns, t_interval

SHOWN = 10                # pictures in a row
ROWS = ("home", "shifted", "other")
EDGE = 0.97               # marks beyond the window are drawn at this share of it


class Curve(NamedTuple):
    """A measure against severity: its mean over seeds and the half-width of the 95 % t interval, each (S,)."""

    severity: np.ndarray
    mean: np.ndarray
    half: np.ndarray


def over_seeds(rows: list[dict], kind: str, field: str) -> Curve:
    """One field of the rows of `mlcourse study shift` of one kind, over its seeds; one seed has no interval (nan).

    Raises ValueError where there is no row of this kind.
    """
    own = [row for row in rows if row["kind"] == kind]
    if not own:
        raise ValueError(f"there is no row of {kind!r} among these; run mlcourse study shift")
    values = np.array([row[field] for row in own], dtype=float)
    return Curve(np.array(own[0]["severity"]), *columns(map(t_interval, values.T)))


class Gauge:
    """A small panel of one measure against severity: the curve over seeds with its band, the other world as a line,
    the floor as a band, and this classifier's value as a mark."""

    def __init__(self, scene: Scene, axes, title: str, limits: tuple[float, float], last: bool = False):
        axes.set(xlim=(-0.03, 1.03), ylim=limits, xticks=np.arange(0, 1.01, 0.2))
        axes.set_title(title, fontsize=9.5)
        axes.grid(True)
        if last:
            axes.set_xlabel("severity")
        else:
            axes.tick_params(labelbottom=False)
        self.axes, self.limits = axes, limits
        plot = lambda **style: scene.moving(axes.plot([], [], **style)[0])
        self.band = scene.moving(axes.fill_between([0, 1], [0, 0], [0, 0], color=GREY, alpha=0.3, lw=0))
        self.curve = plot(color=GREY, lw=1.5)
        self.bar = plot(color=QUERY["color"], lw=2.2, zorder=5)
        self.mark = plot(**QUERY, ls="", ms=9, mec="white", mew=1.2, zorder=6)

    def line(self, value: float, label: str, at: float = 1.0, under: bool = False, style="--") -> None:
        """A line that stays, with its name above or under it, ending at severity `at`."""
        self.axes.axhline(value, color=BLACK, ls=style, lw=1.1)
        self.axes.annotate(label, (at, value), (0, -3 if under else 3), textcoords="offset points", ha="right",
                           va="top" if under else "bottom", fontsize=8)

    def legend(self, figure, middle: float, curve: str) -> None:
        """What the mark and the curve are, in one row above the panels on the right; middle: its height, 0 to 1."""
        setting = self.axes.errorbar([np.nan], [np.nan], yerr=[1], **QUERY, ls="", ms=5, elinewidth=2.2)
        figure.legend([setting, (self.band, self.curve)], ["this setting, 95 % interval", curve], ncols=2,
                      loc="center", bbox_to_anchor=(0.8175, middle), fontsize=8, handlelength=1.5, handletextpad=0.4,
                      columnspacing=1)

    def floor(self, low: float, high: float) -> None:
        """A hatched band that stays: what the measure shows where there is no shift."""
        self.axes.axhspan(low, high, facecolor="none", edgecolor="#B8B8B8", hatch="////", lw=0)

    def show(self, severity: float, value: float, low: float, high: float, curve: Curve | None) -> None:
        """Move the mark and its interval, and the curve over seeds (None: hide it)."""
        clip = lambda v: np.clip(v, *self.limits)
        self.mark.set_data([severity], [clip(value)])
        self.bar.set_data([severity, severity], [clip(low), clip(high)])
        for artist in (self.curve, self.band):
            artist.set_visible(curve is not None)
        if curve is not None:
            self.curve.set_data(curve.severity, clip(curve.mean))
            up, down = clip(curve.mean + curve.half), clip(curve.mean - curve.half)
            x = np.concatenate([curve.severity, curve.severity[::-1]])
            self.band.set_verts([np.stack([x, np.concatenate([up, down[::-1]])], 1)])


class ShiftDialScene(Scene):
    """`show` takes a `ShiftRecord`. pictures: uint8 (SHOWN, 28, 28) of the home digits and of the other world, which
    stay; other: name, accuracy and PAD of pixels and of features of the other world, or None; floors: both PADs'
    intervals for home against home. reach (2,): how far the embedding's window reaches from its middle on both axes."""

    def __init__(self, home: np.ndarray, other_pictures: np.ndarray | None, other: tuple | None,
                 floors: tuple[tuple[float, float], tuple[float, float]], reach: np.ndarray):
        self.home, self.other_pictures, self.other, self.floors, self.reach = home, other_pictures, other, floors, reach
        super().__init__(10, 4.9)

    def build(self) -> None:
        rows = [("home", self.home), ("shifted", None)]
        if self.other_pictures is not None:
            rows.append((self.other[0], self.other_pictures))
        for at, (name, pictures) in enumerate(rows):
            bottom = 394 - 53 * at
            self.figure.text(0.012, (bottom + 25) / 490, name, fontsize=9.5, va="center",
                             color={0: SUPPORT["color"], 1: QUERY["color"]}.get(at, BLACK))
            strip = self.figure.add_artist(Pixels(88, bottom))
            if pictures is None:
                self.shifted = self.moving(strip)
            else:
                strip.rgba = strip_of(pictures)
        self._build_embedding(self.figure.add_axes((0.03, 0.085, 0.555, 0.435)))
        boxes = [(0.655, bottom, 0.325, 0.2) for bottom in (0.645, 0.365, 0.085)]
        gauge = lambda box, *about, **more: Gauge(self, self.figure.add_axes(box), *about, **more)
        self.accuracy = gauge(boxes[0], "Accuracy of the fixed classifier (%)", (0, 118))
        self.pad = gauge(boxes[1], "Distance, pixels (hatched: by chance)", (-0.4, 2.6))
        self.inner = gauge(boxes[2], "Distance, features (hatched: by chance)", (-0.4, 2.6), last=True)
        self.accuracy.line(10, "guessing", at=0.2, style=":")
        self.accuracy.legend(self.figure, 0.912, "mean of seeds, 95 % band")
        self.pad.floor(*self.floors[0])
        self.inner.floor(*self.floors[1])
        if self.other is not None:
            name, accuracy, pad, inner = self.other
            self.accuracy.line(100 * accuracy, name)
            self.pad.line(pad, name, under=True)
            self.inner.line(inner, name, under=True)

    def _build_embedding(self, axes) -> None:
        x, y = self.reach
        axes.set(xlim=(-x, x), ylim=(-y, y), xticks=[], yticks=[])
        axes.spines[:].set_visible(True)
        axes.set_title("The classifier's features, seen along the two axes in which home varies most")
        plot = lambda **style: self.moving(axes.plot([], [], ls="", **style)[0])
        self.source = plot(**SUPPORT, ms=4.5, alpha=0.55, mew=0, label="home")
        self.right = plot(**QUERY, ms=5, mfc="none", mew=1.1, label="shifted, named right")
        self.wrong = plot(color=BLACK, marker="x", ms=5.5, mew=1.4, label="shifted, named wrong")
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0.005), ncols=3, handletextpad=0.2)

    def show(self, record) -> None:
        point = record.point
        self.shifted.rgba = strip_of(record.shown)
        place = lambda z: np.clip(z, -EDGE * self.reach, EDGE * self.reach).T
        self.source.set_data(*place(record.home_z))
        self.right.set_data(*place(point.z[point.right]))
        self.wrong.set_data(*place(point.z[~point.right]))
        curves = record.curves or dict.fromkeys(("accuracy", "pad", "pad_features"))
        percent = curves["accuracy"] and Curve(curves["accuracy"].severity, *(100 * v for v in curves["accuracy"][1:]))
        value = 100 * point.accuracy
        self.accuracy.show(record.severity, value, value, value, percent)
        self.pad.show(record.severity, *point.pad, curves["pad"])
        self.inner.show(record.severity, *point.inner, curves["pad_features"])


def strip_of(pictures: np.ndarray) -> np.ndarray:
    """uint8 (50, 50 · SHOWN, 4): SHOWN pictures (28, 28) in [0, 255] side by side, each scaled to 48 pixels."""
    rows = []
    at = np.minimum(np.arange(48) * 28 // 48, 27)
    for picture in pictures:
        big = (picture.astype(np.float32) / 255)[np.ix_(at, at)]
        rows.append(np.pad(ink(big, 1), ((1, 1), (1, 1), (0, 0)), constant_values=184))
    return np.concatenate(rows, 1)
