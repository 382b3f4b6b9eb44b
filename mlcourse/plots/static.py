"""Static pictures for the lessons: an episode, a learning curve, bars with intervals."""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Iterable, Mapping, Sequence

import matplotlib
import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from torch import Tensor

from mlcourse.episode import Episode
from mlcourse.plots.scene import png_bytes
from mlcourse.plots.style import BLACK, GREY, QUERY, RC, SERIES, SUPPORT, about, plural
from mlcourse.plots.text import as_written
from mlcourse.statistics import Estimate

DPI = 150
MOST_QUERIES = 12


class Picture:
    """A PNG with its alt text, which notebooks show where the object is the value of a cell."""

    def __init__(self, png: bytes, alt: str, width: int | None = None):
        self.png, self.alt, self.width = png, alt, width

    def _repr_png_(self):
        return base64.b64encode(self.png).decode(), self._metadata()

    def _repr_mimebundle_(self, **_kwargs):
        return ({"image/png": base64.b64encode(self.png).decode(), "text/plain": repr(self)},
                {"image/png": self._metadata()})

    def _metadata(self) -> dict:
        return {"alt": self.alt} | ({"width": self.width} if self.width else {})

    def __repr__(self) -> str:
        return f"Picture: {self.alt}"


def blank(width: float, height: float) -> Figure:
    """An empty figure in the course's style (no pyplot), `width` × `height` inches."""
    with matplotlib.rc_context(RC):
        figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white", layout="constrained")
        FigureCanvasAgg(figure)
    return figure


def picture(figure: Figure, alt: str) -> Picture:
    """The figure as a `Picture`; drawn at 150 dpi, shown at two thirds of that, so that it is sharp on any screen."""
    with matplotlib.rc_context(RC):
        as_written(figure.findobj(Text))
        figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())
    return Picture(png_bytes(pixels, level=9), alt, round(pixels.shape[1] * 100 / DPI))


def show_episode(episode: Episode, classes: Sequence[str] | None = None) -> Picture:
    """One episode (no task dimension): images as a grid with a row of the support set per class and a strip of
    queries with their labels below, regression tasks as points.

    classes: the names of all classes of the domain; the rows are then named by them, else by their labels.
    Raises ValueError for a batch of episodes.
    """
    if episode.batch_shape:
        raise ValueError(f"show_episode shows one episode, got a batch of {episode.tasks}; pass episode.task(0)")
    return _show_images(episode, classes) if episode.way else _show_regression(episode)


def _show_images(episode: Episode, classes: Sequence[str] | None) -> Picture:
    way, shot = episode.way, len(episode.support_y) // episode.way
    names = [f"label {i}" if classes is None else f"{i}: {classes[int(c)].split('/')[-1].capitalize()}"
             for i, c in enumerate(episode.classes)]
    wrapped = [textwrap.fill(name, 110 // way) for name in names]
    lines = max(text.count("\n") for text in wrapped)
    wrapped = [text + "\n" * (lines - text.count("\n")) for text in wrapped]       # equal heights, equal pictures
    queries = min(len(episode.query_y), MOST_QUERIES)
    per_line = max(shot * way + way - 1, queries)
    figure = blank(10, 10 / per_line + 10 / max(queries, way * 2) + 1.3)
    with matplotlib.rc_context(RC):
        above, below = figure.subfigures(2, 1, height_ratios=(10 / per_line + 0.7, 10 / max(queries, way * 2) + 0.4))
        above.suptitle(f"Support set: {plural(shot, 'picture')} of each of {way} classes, label and name below",
                       x=0.01, ha="left", fontsize=11)
        for column, (part, text) in enumerate(zip(above.subfigures(1, way, squeeze=False)[0], wrapped)):
            part.supxlabel(text, fontsize=9, color=SUPPORT["color"])
            mine = episode.support_x[episode.support_y == column]
            for axes, image in zip(part.subplots(1, shot, squeeze=False)[0], mine):
                _image(axes, image)
        total = len(episode.query_y)
        which = f"{total}" if total == queries else f"the first {queries} of {total}"
        below.suptitle(f"Query set: {which}, the right label below each", x=0.01, ha="left", fontsize=11)
        for axes, image, label in zip(below.subplots(1, queries, squeeze=False)[0], episode.query_x, episode.query_y):
            _image(axes, image)
            axes.set_xlabel(int(label), color=QUERY["color"], fontsize=9)
    return picture(figure, f"A {way}-way {shot}-shot episode: {plural(shot, 'labelled picture')} of each of {way} "
                           f"classes ({', '.join(names)}), and {plural(total, 'query picture')}.")


def _image(axes, image) -> None:
    axes.imshow(1 - image[0].numpy(), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(True)
    axes.spines[:].set_color("#B8B8B8")


def _show_regression(episode: Episode) -> Picture:
    figure = blank(7, 3)
    x, y = episode.support_x[:, 0].numpy(), episode.support_y[:, 0].numpy()
    xq, yq = episode.query_x[:, 0].numpy(), episode.query_y[:, 0].numpy()
    with matplotlib.rc_context(RC):
        axes = figure.subplots()
        axes.grid(True)
        axes.plot(xq, yq, ls="", ms=6, mfc="white", mew=1.4, **QUERY, label=f"query ({len(xq)})")
        axes.plot(x, y, ls="", ms=8, mec="white", **SUPPORT, label=f"support ({len(x)})")
        axes.set(xlabel="x", ylabel="y")
        axes.set_title(f"One regression task: fit {plural(len(x), 'support point')}, be judged on {len(xq)} others")
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return picture(figure, f"A regression task: {plural(len(x), 'support point')} with x from {x.min():.1f} to "
                           f"{x.max():.1f} and y from {y.min():.1f} to {y.max():.1f}, and {len(xq)} query points.")


def learning_curve(records: Mapping[str, Iterable[dict]] | Iterable[dict], title: str | None = None, *,
                   smooth: int = 25, ylabel: str = "outer loss") -> Picture:
    """The loss over the outer steps, from the records of `train` ({phase, step, loss}, …), or several by name.

    A running mean over `smooth` steps lies over the single batches; the axis is logarithmic where all losses are
    positive. Without a title, the title says from where to where the running mean went. A title with losses in it marks
    each with ≈, as the alt text does.
    """
    series = dict(records) if isinstance(records, Mapping) else {"": list(records)}
    losses = {name: np.array([record["loss"] for record in run]) for name, run in series.items()}
    for name, loss in losses.items():
        if len(loss) == 0:
            raise ValueError(f"learning_curve needs at least one record{f' of {name}' if name else ''}, got none")
    figure = blank(7, 3.2)
    said = []
    with matplotlib.rc_context(RC):
        axes = figure.subplots()
        axes.grid(True)
        for (name, loss), style in zip(losses.items(), SERIES):
            width = min(smooth, len(loss))
            mean = np.convolve(loss, np.ones(width) / width, "valid")
            axes.plot(loss, color=style["color"], lw=0.6, alpha=0.25)
            axes.plot(np.arange(len(mean)) + width / 2, mean, **style, markevery=max(1, len(mean) // 8), ms=5,
                      label=name or f"mean of {width} steps")
            said.append(f"{f'{name}: ' if name else ''}{about(mean[0])} → {about(mean[-1])}")
        if all((loss > 0).all() for loss in losses.values()):
            axes.set_yscale("log")
        axes.set(xlabel="outer steps", ylabel=ylabel)
        steps = max(map(len, losses.values()))
        finding = f"{ylabel.capitalize()} over {plural(steps, 'step')}, {'; '.join(said)}"
        axes.set_title(title or finding)
        axes.legend()
    return picture(figure, finding + ".")


def bars_with_intervals(results: Iterable, title: str, *, reference: float | None = None,
                        reference_label: str = "chance") -> Picture:
    """Horizontal bars with 95 % intervals, from what was evaluated in this run: results that have method, mean, ci95,
    metric and episodes (such as `mlcourse.evaluate.Result`). reference: a dashed line, such as chance.

    The title states the finding; only the caller knows which one, and marks its numbers with ≈ as they are marked
    here. An error that is infinite has no bar. Raises ValueError without results.
    """
    results = list(results)
    if not results:
        raise ValueError("bars_with_intervals needs at least one result, got none")
    percent = results[0].metric == "accuracy"
    scale = 100 if percent else 1
    means = np.array([scale * result.mean for result in results])
    halves = np.array([scale * result.ci95 for result in results])
    finite = lambda values: np.where(np.isfinite(values), values, 0)
    ends = finite(means) + finite(halves)
    y = np.arange(len(results))
    figure = blank(7, 0.9 + 0.42 * len(results))
    with matplotlib.rc_context(RC):
        axes = figure.subplots()
        axes.barh(y, finite(means), height=0.6, color=SUPPORT["color"], alpha=0.75)
        axes.errorbar(means, y, xerr=halves, fmt="none", ecolor=BLACK, elinewidth=1.5, capsize=3)
        for at, mean, half, end in zip(y, means, halves, ends):
            text = Estimate(mean, half, results[at].episodes, "episodes").text(1 if percent else 3)
            axes.annotate(f"≈{text}", (end, at), (6, 0), textcoords="offset points", va="center", fontsize=9)
        if reference is not None:
            axes.axvline(scale * reference, color=GREY, ls="--", lw=1.4)
            axes.annotate(reference_label, (scale * reference, 1), (3, -2), xycoords=("data", "axes fraction"),
                          textcoords="offset points", va="top", fontsize=8.5, color="#555555")
        axes.set_yticks(y, [result.method for result in results])
        axes.set(xlim=(0, 1.22 * float(ends.max()) or 1),
                 ylim=(len(results) - 0.4, -0.6 if reference is None else -0.95),       # the label is above the bars
                 xlabel=("accuracy (%)" if percent else "mean squared error")
                 + f", 95 % interval over {results[0].episodes} episodes")
        if percent:
            axes.set_xticks(range(0, 101, 20))
            axes.spines["bottom"].set_bounds(0, 100)      # what is right of it holds the numbers
        axes.set_title(title)
    values = "; ".join(f"{result.method} ≈{scale * result.mean:.3g} ± {scale * result.ci95:.2g}" for result in results)
    return picture(figure, f"{title}. {values} ({'%' if percent else 'mean squared error'}).")


def strips(rows: dict[str, Tensor], title: str, below: Sequence[object] = ()) -> Picture:
    """Rows of pictures (M, 1, S, S) in [0, 1], dark ink on white, each with its name; equally many in all rows.

    below: what stands below each of the M pictures.
    """
    count, side = (next(iter(rows.values())).shape[i] for i in (0, -1))
    figure = blank(10, 0.55 + 0.75 * len(rows) + (0.2 if below else 0))
    with matplotlib.rc_context(RC):
        figure.suptitle(title, x=0.01, ha="left", fontsize=11)
        axes = figure.subplots(len(rows), 1, squeeze=False)[:, 0]
        for each, (name, pictures) in zip(axes, rows.items(), strict=True):
            wide = torch.nn.functional.pad(pictures[:, 0], (3, 3)).permute(1, 0, 2).reshape(side, -1)
            each.imshow(1 - wide.numpy(), cmap="gray", vmin=0, vmax=1, interpolation="nearest", aspect="equal")
            each.set(yticks=[], xticks=[])
            each.set_ylabel(name, rotation=0, ha="right", va="center")
            each.spines[:].set_visible(False)
        if below:
            axes[-1].set_xticks([(i + 0.5) * (side + 6) - 0.5 for i in range(count)], list(map(str, below)))
            axes[-1].tick_params(length=0, labelsize=10)
    where = f"each of {len(rows)} rows" if len(rows) > 1 else "one row"
    said = f" Below them: {'; '.join(map(str, below))}." if below else ""
    return picture(figure, f"{title}. {count} characters in {where}: {', '.join(rows)}.{said}")
