"""The scene of "You against the machine": labelled pictures, one question, and everybody's score."""

from __future__ import annotations

import matplotlib
import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.patches import Rectangle

from mlcourse.plots.mosaic import ink
from mlcourse.plots.scene import Scene
from mlcourse.plots.style import BLACK, BLUE, GREEN, GREY, RC, VERMILION
from mlcourse.plots.surface import Pixels


class QuizScene(Scene):
    """`show` takes a `QuizRecord` of `way` classes and `questions` questions."""

    def __init__(self, way: int, questions: int):
        self.way, self.questions = way, questions
        self.finished = False
        super().__init__(10, 3.9)

    def build(self) -> None:
        figure, way = self.figure, self.way
        self.left_title = self._text(0.022, 0.875, "Question", 10.5)
        self._text(0.36, 0.875, "One labelled drawing of each character", 10.5)
        self.query = self._pixels(24, 102)
        self.query_frame = self._frame(22, 100, 228, 228)
        self.support = [self._pixels(362 + 124 * i, 214) for i in range(way)]
        for i in range(way):
            self._frame(360 + 124 * i, 212, 116, 116)
            self._text((360 + 124 * i + 58) / 1000, 0.49, str(i + 1), 14, ha="center", fontweight="bold", color=BLUE)
        self._text(0.36, 0.375, "Your answers", 10.5)
        self.thumbs = [self._pixels(362 + 51 * j, 84, False) for j in range(self.questions)]
        self.given = [self.moving(self._text((362 + 51 * j + 21) / 1000, 0.16, "", 11, ha="center"))
                      for j in range(self.questions)]
        self.note = self.moving(self._text(0.36, 0.075, "", 9))
        self.chart = figure.add_axes((0.135, 0.2, 0.185, 0.62))
        self.chart.set_visible(False)

    def _text(self, x: float, y: float, text: str, size: float, **style):
        return self.figure.text(x, y, text, fontsize=size, va="center", **style)

    def _pixels(self, left: int, bottom: int, visible: bool = True) -> Pixels:
        pixels = self.moving(self.figure.add_artist(Pixels(left, bottom)))
        pixels.set_visible(visible)
        return pixels

    def _frame(self, left: int, bottom: int, width: int, height: int):
        w, h = self.figure.bbox.width, self.figure.bbox.height
        return self.figure.add_artist(Rectangle((left / w, bottom / h), width / w, height / h, fill=False, ec="#B8B8B8",
                                                lw=1, transform=self.figure.transFigure))

    def show(self, record) -> None:
        for pixels, picture in zip(self.support, record.support):
            pixels.rgba = ink(picture, 4)
        asked = len(record.answers)
        self.query.set_visible(not record.finished)
        if not record.finished:
            self.query.rgba = ink(record.queries[asked], 8)
        for j, (thumb, given) in enumerate(zip(self.thumbs, self.given)):
            thumb.set_visible(j < asked)
            given.set_visible(j < asked)
            if j < asked:
                thumb.rgba = ink(_fit(record.queries[j], 42), 1)
                right = record.answers[j] == record.truth[j]
                given.set_text(f"{record.answers[j] + 1}" + (f" {'✓' if right else '✗'}" if record.finished else ""))
                given.set_color((GREEN if right else VERMILION) if record.finished else BLACK)
        self.note.set_text(self._note(record))
        if record.finished or self.finished:
            self._show_scores(record)

    def _note(self, record) -> str:
        if not record.finished:
            return ""
        wrong = [f"question {j + 1} is {label + 1}"
                 for j, label in enumerate(record.truth) if record.answers[j] != label]
        return f"✗  {', '.join(wrong[:5])}{', …' if len(wrong) > 5 else ''}" if wrong else ""

    def _show_scores(self, record) -> None:
        """The bars at the end of a quiz, in place of the question."""
        self.finished = record.finished
        self.stale()
        self.chart.clear()
        self.chart.set_visible(record.finished)
        self.query_frame.set_visible(not record.finished)
        self.left_title.set_text("Scores" if record.finished else "Question")
        if record.finished:
            with matplotlib.rc_context(RC):
                self._draw_bars(record)

    def _draw_bars(self, record) -> None:
        axes = self.chart
        scores = record.scores
        y = np.arange(len(scores))
        share = np.array([score.correct / score.questions for score in scores])
        colours = [BLUE] + [GREY] * (len(scores) - 1)
        axes.barh(y, share, height=0.55, color=colours, zorder=2)
        axes.hlines(y, [score.low for score in scores], [score.high for score in scores], color=BLACK, lw=1.6, zorder=3)
        axes.plot([score.low for score in scores] + [score.high for score in scores], np.tile(y, 2), "|", color=BLACK,
                  ms=8, zorder=3)
        axes.axvline(record.chance, color=VERMILION, ls="--", lw=1.4, zorder=4)
        axes.set(xlim=(0, 1), ylim=(len(scores) - 0.4, -0.6), yticks=y, xticks=(0, 0.5, 1))
        axes.set_yticklabels([f"{score.name}\n{'≈' * (i > 0)}{score.correct} of {score.questions}"
                              for i, score in enumerate(scores)], fontsize=8.5)
        axes.set_xticklabels(["0", "50", "100 %"])
        axes.set_xlabel("right answers, 95 % interval\n(dashed: guessing)", fontsize=8.5)


def _fit(picture: np.ndarray, side: int) -> np.ndarray:
    """The picture scaled to `side` pixels by bilinear interpolation."""
    return F.interpolate(torch.from_numpy(np.ascontiguousarray(picture))[None, None], (side, side), mode="bilinear",
                         align_corners=False)[0, 0].clamp(0, 1).numpy()
