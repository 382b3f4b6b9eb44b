"""The explorers of the lesson, each with something to show: for the benchmark and the browser tests."""

from __future__ import annotations

from mlcourse.lessons.l10_data import mixing
from mlcourse.lessons.l10_data.widget_mix import MixLayer
from mlcourse.lessons.l10_data.widget_walk import LatentWalk


def latent_walk() -> LatentWalk:
    """Shown five drawings."""
    return LatentWalk()


def mix_layer() -> MixLayer:
    """Two networks that are trained there and then."""
    return MixLayer(*mixing.examples())
