"""The first explorer of lesson 10: sliders of z, what the set VAE draws, and a ruler beneath it."""

from __future__ import annotations

from typing import NamedTuple

import ipywidgets
import numpy as np

from mlcourse.lessons.l10_data import walk
from mlcourse.lessons.l10_data.scene_walk import WalkScene
from mlcourse.lessons.l10_data.walk import CHARACTERS, SHOWN, Ruler
from mlcourse.plots.style import plural
from mlcourse.widgets.base import CONTROL, Explorer, columns

FURTHEST = 3.0


class WalkRecord(NamedTuple):
    """character, shown: the controls. drawings (shown, 28, 28): what the network was shown. picture (28, 28): the
    probability of ink in each pixel. ink (28, 28): where it is above 1/2. nearest (28, 28): the training picture that
    is nearest to it. ruler: distances. probabilities (CHARACTERS,): the independent classifier's."""

    character: int
    shown: int
    drawings: np.ndarray
    picture: np.ndarray
    ink: np.ndarray
    nearest: np.ndarray
    ruler: Ruler
    probabilities: np.ndarray


class LatentWalk(Explorer):
    """Move three numbers that the set VAE uses and one that it does not, and see what it draws of a new character.

    The set VAE is the shipped one of the glyphs; the characters are of scripts that it has not seen.

        LatentWalk()
    """

    def __init__(self, character: int = 0, shown: int = SHOWN):
        order = walk.divergences().argsort(descending=True).tolist()
        self.moved = (*order[:3], order[-1])
        integer = lambda value, low, high, name: ipywidgets.IntSlider(value=value, min=low, max=high, description=name,
                                                                      **CONTROL)
        number = lambda name: ipywidgets.FloatSlider(value=0.0, min=-FURTHEST, max=FURTHEST, step=0.25,
                                                     readout_format=".2f", description=name, **CONTROL)
        controls = {"character": integer(character, 0, CHARACTERS - 1, "character"),
                    "shown": integer(shown, 1, SHOWN, "drawings shown"),
                    "a": number("number a"), "b": number("number b"), "c": number("number c"), "d": number("number d")}
        super().__init__(WalkScene(walk.divergences().numpy(), self.moved), controls,
                         columns(list(controls.values()), 3))

    def compute(self, *, character: int, shown: int, a: float, b: float, c: float, d: float) -> WalkRecord:
        picture = walk.sample(character, shown, dict(zip(self.moved, (a, b, c, d), strict=True)))
        ink = (picture > 0.5).numpy()
        ruler = walk.measured(ink, character, shown)
        nearest = walk.trained()[1][ruler.trained, 0].numpy() / 255
        return WalkRecord(character, shown, walk.drawings()[character, :shown, 0].numpy(), picture.numpy(), ink,
                          nearest, ruler, walk.judged((picture > 0.5).float()).numpy())

    def headline(self, record: WalkRecord) -> str:
        ruler = record.ruler
        return (f"Recognised at ≈{record.probabilities[record.character]:.2f}; differs from what was shown in "
                f"≈{ruler.to_shown} pixels, other real drawings in ≈{ruler.real_shown[0]:.0f} or more")

    def describe(self, record: WalkRecord) -> str:
        ruler = record.ruler
        return (f"Character {record.character}, {plural(record.shown, 'drawing')} shown. The nearest training picture "
                f"differs in ≈{ruler.to_trained} pixels; from other real drawings in ≈{ruler.real_trained[0]:.0f} to "
                f"≈{ruler.real_trained[2]:.0f}.")
