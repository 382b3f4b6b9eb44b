"""The scene of lesson 09's tape: what was shown and said, both focuses over time, and the memory after a step."""

from __future__ import annotations

import numpy as np

from mlcourse.plots.mosaic import Mosaic
from mlcourse.plots.scene import Scene
from mlcourse.plots.style import BLACK, BLUE, GREY, VERMILION

MIDDLE = 0.5
LEFT, CENTRE, RIGHT = (0.055, 0.36), (0.48, 0.27), (0.815, 0.165)         # where each column begins, and its width


class MemoryTapeScene(Scene):
    """Strips over time, and a memory; `show` takes a `MemoryTapeRecord`. bits: of an item. rows: of the memory."""

    def __init__(self, bits: int, rows: int):
        self.bits, self.rows = bits, rows
        super().__init__(9.9, 3.95)

    def build(self) -> None:
        self.shown = self._strip(LEFT, 0.65, 0.19, "shown, then said (line: the step)", "Greys", (0, 1), ylabel="bit")
        axes = self.lines[0].axes
        self.wrong = self.moving(axes.plot([], [], ls="", marker="x", ms=5, mew=1.6, color=VERMILION)[0])
        axes.plot([], [], ls="", marker="x", ms=5, mew=1.6, color=VERMILION, label="wrong")
        axes.legend(loc="lower right", bbox_to_anchor=(1.01, 0.93), borderaxespad=0, handletextpad=0.1)
        self.added = self._strip(LEFT, 0.38, 0.19, "added (blue +1, red −1)", "RdBu", (-1, 1), ylabel="number")
        self.erased = self._strip(LEFT, 0.11, 0.19, "erased (dark 1)", "Greys", (0, 1), ylabel="number", last=True)
        self.write = self._strip(CENTRE, 0.52, 0.32, "focus of writing (dark 1)", "Blues", (0, 1), ylabel="row")
        self.read = self._strip(CENTRE, 0.11, 0.32, "focus of reading", "Oranges", (0, 1), ylabel="row", last=True)
        axes = self.figure.add_axes((RIGHT[0], 0.11, RIGHT[1], 0.73))
        axes.set(xticks=[], yticks=[], xlim=(0, 1), ylim=(1, 0), xlabel="number in a row")
        axes.set_title("memory: ▶ written, ◀ read", fontsize=9.5)
        self.memory = Mosaic(self, axes, "RdBu", -1.2, 1.2)
        self.at_write = self.moving(axes.plot([], [], ls="", marker=">", ms=8, color=BLUE, mec="white",
                                              clip_on=False)[0])
        self.at_read = self.moving(axes.plot([], [], ls="", marker="<", ms=8, color="#C75B00", mec="white",
                                             clip_on=False)[0])

    def _strip(self, column: tuple[float, float], bottom: float, height: float, title: str, colours: str,
               limits: tuple[float, float], ylabel: str, last: bool = False):
        """A picture over time, its steps from left to right; a line stands at the step that is chosen."""
        axes = self.figure.add_axes((column[0], bottom, column[1], height))
        axes.set(xlim=(0, 1), ylim=(1, 0), yticks=[], ylabel=ylabel)
        if ylabel == "row":
            axes.set_yticks([0.5 / self.rows, 1 - 0.5 / self.rows], ["0", str(self.rows - 1)])
        axes.set_xticks([0, MIDDLE, 1], ["first step", "mark", "last"] if last else ["", "", ""])
        axes.set_title(title, fontsize=9.5)
        image = Mosaic(self, axes, colours, *limits)
        self.moving(axes.axvline(MIDDLE, color=GREY, ls=":", lw=1))
        self.lines = [*getattr(self, "lines", []), self.moving(axes.axvline(0, color=BLACK, lw=1.2))]
        return image

    def show(self, record) -> None:
        run, steps = record.run, record.steps
        length = len(run.wanted)
        said = np.full((steps, self.bits), 0.5)
        said[:length], said[length] = run.wanted, 0.0
        said[-length:] = 1 / (1 + np.exp(-run.logits))
        for image, values in ((self.shown, said), (self.added, run.add), (self.erased, run.erase),
                              (self.write, run.w_write), (self.read, run.w_read),
                              (self.memory, run.memory[record.at].T)):
            image.show(values.T)
        items, bits = np.nonzero(run.wrong)
        self.wrong.set_data((length + 1 + items + 0.5) / steps, (bits + 0.5) / self.bits)
        for line in self.lines:
            line.set_xdata([(record.at + 0.5) / steps] * 2)
        self.at_write.set_data([-0.04], [(run.w_write[record.at].argmax() + 0.5) / self.rows])
        self.at_read.set_data([1.04], [(run.w_read[record.at].argmax() + 0.5) / self.rows])
