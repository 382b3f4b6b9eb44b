"""The explorers of the lesson, each with something to show: for the benchmark and the browser tests."""

from __future__ import annotations

from mlcourse.datasets.strokes import draw, pictures_and_strokes
from mlcourse.learners import TwoEncoders
from mlcourse.lessons.l16_contrast.widget_contrast import ContrastExplorer
from mlcourse.nets import Conv4, StrokeNet


def contrast() -> ContrastExplorer:
    """Over the pictures and pen strokes of the test scripts; the encoders are untrained."""
    images, paths, labels = pictures_and_strokes("test")
    encoders = {str(seed): TwoEncoders(Conv4(0, norm="layer", seed=seed), StrokeNet().config) for seed in (0, 1)}
    return ContrastExplorer({name: (each.embed, each.embed_other) for name, each in encoders.items()}, images, paths,
                            labels, images.float() / 255, draw(paths))
