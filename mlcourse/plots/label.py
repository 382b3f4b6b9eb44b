"""Short text that changes with every redraw, at a tenth of the cost of matplotlib's text."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties


@lru_cache(maxsize=512)
def _glyph(character: str, size: float, dpi: float) -> tuple[np.ndarray, float]:
    """One character's ink, uint8 (3 · size, 3 · size) pixels with the baseline a third above the bottom and the pen
    a third from the left; and how far the pen moves on."""
    side = 3 * round(size * dpi / 72)
    figure = Figure(figsize=(side / dpi, side / dpi), dpi=dpi, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    figure.text(1 / 3, 1 / 3, character, fontsize=size, color="black")
    canvas.draw()
    width = lambda text: canvas.get_renderer().get_text_width_height_descent(text, FontProperties(size=size), False)[0]
    return 255 - np.asarray(canvas.buffer_rgba())[..., 0], width(f"0{character}0") - width("00")


class Label(Artist):
    """Text in the default font at a place on the canvas, put together from cached characters without kerning.

    left, baseline: in pixels from the lower left corner.
    """

    def __init__(self, left: float, baseline: float, size: float, dpi: float, colour: str = "black"):
        super().__init__()
        self.left, self.baseline, self.size, self.dpi, self.colour = left, baseline, size, dpi, to_rgb(colour)
        self.text, self._rgba = "", None

    def set_text(self, text: str) -> None:
        """Change the text."""
        if text == self.text:
            return
        self.text = text
        glyphs = [_glyph(character, self.size, self.dpi) for character in text]
        if not glyphs:
            self._rgba = None
            return
        side = glyphs[0][0].shape[0]
        pens = np.concatenate([[0.0], np.cumsum([advance for _, advance in glyphs])]).round().astype(int)
        ink = np.zeros((side, pens[-2] + side), np.uint8)
        for (picture, _), pen in zip(glyphs, pens):
            part = ink[:, pen:pen + side]
            np.maximum(part, picture, out=part)
        self._rgba = np.empty((*ink.shape, 4), np.uint8)
        self._rgba[..., :3] = np.array(self.colour) * 255
        self._rgba[..., 3] = ink[::-1]

    def draw(self, renderer) -> None:
        if self._rgba is not None:
            third = self._rgba.shape[0] // 3
            renderer.draw_image(renderer.new_gc(), round(self.left) - third, round(self.baseline) - third, self._rgba)
