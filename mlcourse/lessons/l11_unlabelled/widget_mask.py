"""The second explorer of lesson 11: a mask by distance, its threshold and its steepness."""

from __future__ import annotations

from typing import NamedTuple

import ipywidgets
import numpy as np

from mlcourse.lessons.l11_unlabelled import mask_dial, pool
from mlcourse.lessons.l11_unlabelled.mask_dial import ALONG
from mlcourse.lessons.l11_unlabelled.pool import ALONE, OTHERS, OWN, SOFT, WAY
from mlcourse.lessons.l11_unlabelled.scene_mask import MaskScene
from mlcourse.statistics import Estimate, interval
from mlcourse.widgets.base import CONTROL, Explorer, columns

THIS, BY_HAND = "this mask", "others removed by hand"


class MaskRecord(NamedTuple):
    """One setting. threshold, steepness, others: the controls. own, strangers (BINS,): drawings an episode by their
    distance. curve (10 BINS + 1,): the mask at ALONG. counts: the mean of the largest mask of the drawings of the five
    classes and of others, nan where there are none. right: accuracies in per cent by name; gain: of this mask less
    none, in points."""

    threshold: float
    steepness: float
    others: int
    own: np.ndarray
    strangers: np.ndarray
    curve: np.ndarray
    counts: tuple[float, float]
    right: dict[str, Estimate]
    gain: Estimate


class MaskDial(Explorer):
    """Set where the mask cuts and how sharply, and see which drawings of the pool still count.

        MaskDial(threshold=0.5)
    """

    def __init__(self, *, threshold: float = 1.5, steepness: float = 10.0, others: int = OTHERS):
        super().__init__(MaskScene((ALONE, SOFT, THIS, BY_HAND)), controls := {
            "threshold": ipywidgets.FloatSlider(value=threshold, min=0.0, max=1.5, step=0.05, description="threshold",
                                                **CONTROL),
            "steepness": ipywidgets.FloatLogSlider(value=steepness, min=0, max=2, step=0.1, readout_format=".1f",
                                                   description="steepness", **CONTROL),
            "others": ipywidgets.IntSlider(value=others, min=0, max=OTHERS,
                                           description="other classes", **CONTROL),
        }, columns(list(controls.values()), 3))

    def compute(self, *, threshold: float, steepness: float, others: int) -> MaskRecord:
        drawn, far, even = pool.pools(others, OWN // WAY), mask_dial.far(others), OWN // WAY
        m = mask_dial.mask(far.d, threshold, steepness)
        means = {ALONE: pool.prototypes(ALONE, others, even), SOFT: pool.prototypes(SOFT, others, even),
                 THIS: pool.masked(drawn, threshold, steepness), BY_HAND: pool.prototypes(SOFT, 0, even)}
        right = {name: pool.right(each) for name, each in means.items()}
        return MaskRecord(threshold, steepness, others, far.own, far.others,
                          mask_dial.mask(ALONG, threshold, steepness).numpy(),
                          (float(m[:, :OWN].mean()), float(m[:, OWN:].mean()) if others else np.nan),
                          {name: interval(each) for name, each in right.items()}, interval(right[THIS] - right[SOFT]))

    def headline(self, record: MaskRecord) -> str:
        return (f"This mask changes accuracy by ≈{record.gain.text()} points, to ≈{record.right[THIS].mean:.1f} % "
                f"right; others removed: ≈{record.right[BY_HAND].mean:.1f}")

    def describe(self, record: MaskRecord) -> str:
        own, strangers = record.counts
        said = "" if np.isnan(strangers) else f", of other classes ≈{strangers:.2f}"
        return f"Mean of a drawing's largest mask: of the five classes ≈{own:.2f}{said}."
