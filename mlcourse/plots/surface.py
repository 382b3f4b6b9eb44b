"""A loss surface in colour with contour lines, at a fraction of a contour plot's cost."""

from __future__ import annotations

import matplotlib
import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.artist import Artist
from torch import Tensor

from mlcourse.plots.style import BLACK, short

LOW, HIGH = -2.0, 2.0         # log10 of the losses between which the colour changes: the same in every picture
COLOURS = 128
SPACINGS = tuple(1 / n for n in (96, 48, 24, 12, 6, 3, 1))       # of contour lines, in decades
MOST_LINES = 16


def colour_table(colormap: str) -> np.ndarray:
    """uint8 (2 · COLOURS, 4): pale for a low loss, saturated for a high one; then the same darkened, for the lines."""
    colours = np.ones((2 * COLOURS, 4))
    colours[:COLOURS, :3] = matplotlib.colormaps[colormap](np.linspace(0.02, 0.9, COLOURS))[:, :3]
    colours[COLOURS:, :3] = 0.74 * colours[:COLOURS, :3]
    return (colours * 255).astype(np.uint8)


def logarithms(losses: np.ndarray) -> np.ndarray:
    """log10 of losses; what is not finite, or more than a decade above the colours, counts as that high."""
    highest = 10.0 ** (HIGH + 1)
    return np.log10(np.clip(np.nan_to_num(losses, nan=highest), 1e-12, highest))


def line_spacing(*surfaces: np.ndarray) -> float:
    """The narrowest of SPACINGS, in decades, with at most MOST_LINES lines on any of these surfaces."""
    span = max(np.subtract(*np.percentile(logarithms(losses), (98, 2))) for losses in surfaces)
    return next((spacing for spacing in SPACINGS if span <= MOST_LINES * spacing), SPACINGS[-1])


def stretch(points: int, pixels: int) -> Tensor:
    """float32 (pixels, points): the matrix of cubic interpolation from a grid onto pixels, ends on ends."""
    each = torch.eye(points)[:, None, :, None].expand(-1, -1, -1, 2)
    return F.interpolate(each, (pixels, 2), mode="bicubic", align_corners=True)[:, 0, :, 0].T.contiguous()


def surface_picture(losses: np.ndarray, up: Tensor, across: Tensor, colours: np.ndarray, spacing: float) -> np.ndarray:
    """uint8 (height, width, 4): the surface `losses` (rows along b, columns along a) in colour, b upwards, with
    contour lines every `spacing` decades.

    up (height, rows) and across (width, columns) are `stretch` matrices; the interpolation is in the logarithm.
    """
    level = (up @ torch.from_numpy(logarithms(losses).astype(np.float32)) @ across.T).numpy()
    bands = np.floor(level * (1 / spacing)).astype(np.int16)
    colour = np.clip((level - LOW) * (COLOURS / (HIGH - LOW)), 0, COLOURS - 1).astype(np.uint8)
    line = np.zeros(bands.shape, bool)
    line[1:] = bands[1:] != bands[:-1]
    line[:, 1:] |= bands[:, 1:] != bands[:, :-1]
    colour[line] += COLOURS
    return np.take(colours.view(np.uint32)[:, 0], colour[::-1]).view(np.uint8).reshape(*colour.shape, 4)


class Pixels(Artist):
    """A picture pasted at fixed pixels of the canvas: no resampling, unlike an axes image."""

    def __init__(self, left: int, bottom: int):
        super().__init__()
        self.left, self.bottom = left, bottom
        self.rgba = None          # uint8 (height, width, 4), top row first

    def draw(self, renderer) -> None:
        if self.rgba is not None:
            renderer.draw_image(renderer.new_gc(), self.left, self.bottom, np.ascontiguousarray(self.rgba[::-1]))


class SurfacePanel:
    """Axes of a scene that show a loss over a plane of parameter space, with a path and marks on it.

    The axes' own coordinates run over the fixed window [-1, 1]²; `place` maps points of the plane into it, and a
    scale bar says how long a distance is (leave it out beside a panel of the same slice). So the frame never changes,
    and is drawn once.
    """

    def __init__(self, scene, axes, colormap: str, title: str, points: int, with_scale: bool = True):
        self.axes, self.colours = axes, colour_table(colormap)
        axes.set(title=title, xlim=(-1, 1), ylim=(-1, 1), xticks=[], yticks=[])
        axes.spines[["top", "right"]].set_visible(True)
        box = axes.get_window_extent()
        left, bottom = int(np.ceil(box.x0)) + 1, int(np.ceil(box.y0)) + 1
        height, width = int(box.y1) - bottom - 1, int(box.x1) - left - 1
        self.aspect = width / height
        self.up, self.across = stretch(points, height), stretch(points, width)
        self.image = scene.figure.add_artist(Pixels(left, bottom))
        self.lowest, = axes.plot([], [], ls="", marker="x", color=BLACK, ms=8, mew=1.8, alpha=0.75, zorder=4)
        self.bar, = axes.plot([], [], color=BLACK, lw=1.2, marker="|", ms=6, zorder=4)
        scene.moving(self.image, self.lowest, self.bar)
        self.length = scene.label(axes, 0.02, 0.085, 8.5)
        self.length.set_zorder(4)
        self.bar.set_visible(with_scale)
        self.length.set_visible(with_scale)

    def show(self, a: np.ndarray, b: np.ndarray, losses: np.ndarray, spacing: float) -> None:
        """Show `losses` (len(b), len(a)) over the grid, with contour lines every `spacing` decades, a scale bar, and
        a cross at the lowest point unless that lies on the edge."""
        self.centre = np.array([(a[0] + a[-1]) / 2, (b[0] + b[-1]) / 2])
        self.half = np.array([(a[-1] - a[0]) / 2, (b[-1] - b[0]) / 2])
        self.image.rgba = surface_picture(losses, self.up, self.across, self.colours, spacing)
        row, column = np.unravel_index(np.where(np.isfinite(losses), losses, np.inf).argmin(), losses.shape)
        self.lowest.set_data(*self.place(np.array([[a[column], b[row]]])).T)
        self.lowest.set_visible(0 < row < len(b) - 1 and 0 < column < len(a) - 1)
        length = _round_down(self.half[0] / 2)
        self.bar.set_data([-0.96, -0.96 + length / self.half[0]], [-0.9, -0.9])
        self.length.set_text(short(length))

    def place(self, points: np.ndarray) -> np.ndarray:
        """Points (M, 2) of the plane in the panel's coordinates; far away or not finite ends just outside."""
        placed = (points - self.centre) / self.half
        return np.clip(np.nan_to_num(placed, nan=20, posinf=20, neginf=-20), -20, 20)


def _round_down(value: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that does not exceed `value`."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(power * max(step for step in (1, 2, 5) if step * power <= value * 1.0001))


def colour_bar(scene, axes, colormap: str, label: str) -> None:
    """A static colour bar with one tick per decade."""
    axes.imshow(colour_table(colormap)[:COLOURS][::-1, None], aspect="auto", extent=(0, 1, LOW, HIGH))
    ticks = np.arange(LOW, HIGH + 1)
    axes.set(xticks=[], yticks=ticks, yticklabels=[f"{10.0 ** tick:g}" for tick in ticks], ylim=(LOW, HIGH))
    axes.yaxis.tick_right()
    axes.tick_params(length=2)
    axes.set_title(label, fontsize=8.5, loc="center")
