"""A figure that redraws fast: its frame is drawn once, and only what moves is drawn again."""

from __future__ import annotations

import struct
import zlib

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from mlcourse.plots.label import Label
from mlcourse.plots.style import BLACK, RC
from mlcourse.plots.text import as_written


def png_bytes(rgba: np.ndarray, level: int = 1) -> bytes:
    """A PNG file of a picture, uint8 (height, width, 4), without its alpha.

    The rows go unfiltered to zlib: for flat-coloured charts this takes half the time of an encoder that tries
    filters, and the file is no larger. No metadata is written, so equal pixels give equal bytes.
    """
    height, width, _ = rgba.shape
    rows = np.zeros((height, 1 + 3 * width), np.uint8)
    for channel in range(3):
        rows[:, 1 + channel::3] = rgba[..., channel]

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, level))
            + chunk(b"IEND", b""))


class Scene:
    """One persistent figure (no pyplot) whose subclasses build their artists once and move them.

    Subclasses give their size in inches to `super().__init__`, create axes on `self.figure` in `build()`, wrap every
    artist that changes in `self.moving(artist)`, and define `show(record)`. Whatever is not moving (axes, tick
    labels, legends, colour bars) is drawn once into a background that every redraw restores.

    The topmost `STRIP` inches are kept for a headline. A widget shows it as text above the picture, so `png()` cuts
    the strip off; `png(headline)` writes it into the picture, for pages without a kernel.
    """

    STRIP = 0.36

    def __init__(self, width: float, height: float, dpi: int = 100):
        with matplotlib.rc_context(RC):
            self.figure = Figure(figsize=(width, height), dpi=dpi, facecolor="white")
            self.canvas = FigureCanvasAgg(self.figure)
            self._moving, self._background = [], None
            self._headline = self.figure.text(0.008, 1 - 0.1 / height, "", va="top", fontsize=12.5, fontweight="bold")
            self._headline.set_animated(True)
            self.build()
            self._moving.sort(key=lambda artist: artist.get_zorder())
            self._texts = [artist for artist in self._moving if isinstance(artist, Text)]

    def build(self) -> None:
        """Create the axes and the artists."""
        raise NotImplementedError

    def show(self, record) -> None:
        """Move the artists to where `record` says."""
        raise NotImplementedError

    def moving(self, *artists):
        """Mark artists as changing; returns the artist, or the list of them."""
        for artist in artists:
            artist.set_animated(True)
            self._moving.append(artist)
        return artists[0] if len(artists) == 1 else list(artists)

    def label(self, axes, x: float, y: float, size: float) -> Label:
        """A changing text whose left end and baseline lie at a point in axes coordinates."""
        left, baseline = axes.transAxes.transform((x, y))
        return self.moving(self.figure.add_artist(Label(left, baseline, size, self.figure.dpi, BLACK)))

    def stale(self) -> None:
        """Have the background drawn again: call it after changing anything that usually stands still."""
        self._background = None

    def pixels(self, headline: str = "") -> np.ndarray:
        """The picture, uint8 (height, width, 4); without a headline its strip is cut off."""
        as_written(self._texts)
        if self._background is None:
            as_written(self.figure.findobj(Text))
            self.canvas.draw()
            self._background = self.canvas.copy_from_bbox(self.figure.bbox)
        else:
            self.canvas.restore_region(self._background)
        renderer = self.canvas.get_renderer()
        for artist in self._moving:
            if artist.get_visible():
                artist.draw(renderer)
        picture = np.asarray(self.canvas.buffer_rgba())
        if not headline:
            return picture[round(self.STRIP * self.figure.dpi):]
        self._headline.set_text(headline)
        as_written([self._headline])
        self._headline.draw(renderer)
        return picture

    def png(self, headline: str = "") -> bytes:
        """The picture as the bytes of a PNG file."""
        return png_bytes(self.pixels(headline))
