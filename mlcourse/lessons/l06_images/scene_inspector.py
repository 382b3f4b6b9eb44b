"""The scene of the episode inspector: the support set by label, and the queries with what is said of them."""

from __future__ import annotations

from mlcourse.plots.mosaic import ink
from mlcourse.plots.scene import Scene
from mlcourse.plots.style import BLUE, VERMILION
from mlcourse.plots.surface import Pixels

WAY, SHOTS, ACROSS, DOWN = 5, 5, 5, 3
LEFT, WIDE, TOP, PITCH = 20, 84, 257, 58        # pixels: the first picture's corner, and how far they lie apart
ASKED, ASKED_WIDE, ASKED_HIGH = 500, 100, 100


class InspectorScene(Scene):
    """`show` takes an `EpisodeRecord`."""

    def __init__(self):
        super().__init__(10, 3.9)

    def build(self) -> None:
        write = lambda x, y, text, **style: self.figure.text(x / 1000, y / 390, text, va="center", **style)
        write(LEFT, 343, "Support set: a column for each label", fontsize=10, color=BLUE)
        write(ASKED, 343, "Queries, below each the network's answer and the pixels'", fontsize=10, color=VERMILION)
        everywhere = self.figure.add_axes((0, 0, 1, 1))
        everywhere.set_axis_off()
        place = lambda x, y, size: self.label(everywhere, x / 1000, y / 390, size)
        self.columns = [[self._pixels(LEFT + WIDE * c, TOP - PITCH * k) for k in range(SHOTS)] for c in range(WAY)]
        for c in range(WAY):
            write(LEFT + WIDE * c + 28, 323, str(c), fontsize=11, ha="center", color=BLUE, fontweight="bold")
        spots = [(ASKED + ASKED_WIDE * (i % ACROSS), 262 - ASKED_HIGH * (i // ACROSS)) for i in range(ACROSS * DOWN)]
        self.queries = [self._pixels(*spot) for spot in spots]
        self.said = [place(x, y - 17, 9.5) for x, y in spots]

    def _pixels(self, left: int, bottom: int) -> Pixels:
        return self.moving(self.figure.add_artist(Pixels(left, bottom)))

    def show(self, record) -> None:
        for column, pictures in zip(self.columns, record.support, strict=True):
            for k, pixels in enumerate(column):
                pixels.rgba = ink(pictures[k], 2) if k < len(pictures) else None
        network, pixels_said = record.said["network"], record.said["pixels"]
        for i, (pixels, text) in enumerate(zip(self.queries, self.said, strict=True)):
            pixels.rgba = ink(record.queries[i], 2)
            text.set_text("   ".join(f"{said} {'✓' if said == record.truth[i] else '✗'}"
                                     for said in (network[i], pixels_said[i])))
