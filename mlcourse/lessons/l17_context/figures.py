"""The pictures and the tables of lesson 17."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib
from torch import Tensor

from mlcourse.lessons.l17_context import study_context_results as study
from mlcourse.lessons.l17_context.study_context_glyphs import (BY_CAML, BY_CNP, BY_MAP, BY_RESIDUAL, PROTO,
                                                                SHOTS)
from mlcourse.lessons.l17_context.study_context_regression import SITUATIONS
from mlcourse.plots.static import Picture, blank, picture
from mlcourse.plots.style import GREY, RC, SERIES, about
from mlcourse.statistics import t_interval

LEAST, MOST = 0.1, 100.0
NAMES = ("least squares", "one step", "MAML, 5 steps", "150 steps", "ridge (Bayes)", "Transformer, live",
         "Transformer, checkpoint")
LOOKS = dict(zip(NAMES, SERIES, strict=True))


def curves(errors: Mapping[str, Tensor], title: str, zero: float = 5.0) -> Picture:
    """Mean squared errors (n,) by the number of pairs seen, to targets without noise, by name, some of NAMES.

    zero: the error of always answering 0. What exceeds the axis is cut off there.
    """
    figure, said = blank(7, 3.6), []
    with matplotlib.rc_context(RC):
        axes = figure.subplots()
        axes.axhline(zero, color=GREY, ls=":", lw=1.3, label="answering 0")
        for name, values in errors.items():
            axes.plot(range(len(values)), values.clamp(max=MOST), **LOOKS[name], ms=5, label=name)
            if (highest := float(values.max())) > MOST:
                axes.annotate(f"up to {about(highest)}", (int(values.argmax()), MOST), (8, -12),
                              textcoords="offset points", fontsize=8.5)
            said.append(f"{name} {about(float(values[5]))} after 5 pairs, {about(float(values[-1]))} after "
                        f"{len(values) - 1}")
        axes.set(yscale="log", ylim=(LEAST, MOST), xlabel="pairs seen, M", ylabel="squared error")
        axes.set_xticks(range(len(values)))
        axes.set_yticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
        axes.grid(True)
        axes.set_title(title)
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return picture(figure, f"{title}. {'; '.join(said)}.")


def glyphs(rows: Sequence[dict]) -> str:
    """A line for each arm on frozen features: accuracy by shot, mean over seeds, at one shot less ProtoNet's, paired,
    and seconds."""
    lines = [f"{'% right, 5-way':25s}{'1-shot':>13s}{'less ProtoNet':>15s}{'5-shot':>13s}{'seconds':>9s}"]
    for arm in (PROTO, BY_CNP, BY_CAML, BY_MAP, BY_RESIDUAL):
        one, five = (_accuracy(rows, arm, shot) for shot in SHOTS)
        less = "" if arm == PROTO else study.apart(rows, arm, PROTO, 1).text(2, sign=True)
        seconds = "" if arm == PROTO else f"{study.seconds(rows, study.GLYPHS, arm):.0f}"
        lines.append(f"{arm:25s}{one:>13s}{less:>15s}{five:>13s}{seconds:>9s}".rstrip())
    return "\n".join(lines)


def _accuracy(rows: Sequence[dict], arm: str, shot: int) -> str:
    found = t_interval(study.accuracy_by_seed(rows, arm, shot).values())
    return f"{found.mean:.1f}" if arm == PROTO else found.text()


def beyond(rows: Sequence[dict]) -> str:
    """A line for each arm: its error after five pairs and more, as a share of that of ridge with the λ of training, in
    training's situation and in others."""
    names = {"checkpoint": "Transformer, checkpoint", "ridge": "ridge, error itself",
             "ridge, told the situation": "ridge, right λ"}
    head = "share of ridge's error"
    lines = [f"{head:32s}" + "".join(f"{name:>15s}" for name in SITUATIONS)]
    for arm, name in names.items():
        cells = [f"{study.late(rows, arm, at):.2f}" if arm == "ridge" else study.to_ridge(rows, arm, at).text(2)
                 for at in SITUATIONS]
        lines.append(f"{name:32s}" + "".join(f"{each:>15s}" for each in cells))
    return "\n".join(lines)
