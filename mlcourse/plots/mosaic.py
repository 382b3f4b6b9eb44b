"""Arrays as coloured tiles in a scene, and pictures as ink on paper: quick to redraw."""

from __future__ import annotations

import matplotlib
import numpy as np

from mlcourse.plots.scene import Scene
from mlcourse.plots.surface import Pixels

PAPER = np.array([250, 250, 247], np.float32)


class Mosaic:
    """An array shown in axes as coloured tiles, pasted pixel by pixel."""

    def __init__(self, scene: Scene, axes, colours: str, low: float, high: float):
        box = axes.get_window_extent()
        left, bottom = int(np.ceil(box.x0)) + 1, int(np.ceil(box.y0)) + 1
        self.height, self.width = int(box.y1) - bottom - 1, int(box.x1) - left - 1
        self.low, self.high = low, high
        self.table = (matplotlib.colormaps[colours](np.linspace(0, 1, 256)) * 255).astype(np.uint8)
        self.pixels = scene.moving(scene.figure.add_artist(Pixels(left, bottom)))

    def show(self, values: np.ndarray) -> None:
        """Show an array of values between low and high, its first row on top, over the whole of the axes."""
        colour = np.clip((values - self.low) / (self.high - self.low) * 255, 0, 255).astype(np.uint8)
        rows = np.arange(self.height) * values.shape[0] // self.height
        columns = np.arange(self.width) * values.shape[1] // self.width
        self.pixels.rgba = self.table[colour[rows[:, None], columns]]


def ink(picture: np.ndarray, zoom: int) -> np.ndarray:
    """uint8 (zoom · H, zoom · W, 4): a picture with values in [0, 1], ink high, drawn dark on paper."""
    big = np.kron(picture, np.ones((zoom, zoom), np.float32))[..., None]
    colour = (1 - big) * PAPER + big * 25
    return np.concatenate([colour, np.full_like(big, 255)], -1).astype(np.uint8)
