"""What every widget of the course is made of: controls, a compute function and a scene that draws its record."""

from __future__ import annotations

import base64
import html
import threading
from collections.abc import Iterator

import ipywidgets
from traitlets import HasTraits, Unicode

from mlcourse.plots.scene import Scene
from mlcourse.system.machine import one_core

CONTROL = dict(style={"description_width": "9em"}, layout={"width": "98%"})
TALLEST = "65vh"        # 500 of 768 pixels
STOPPED = """<style>
.mlcourse-explorer > .mlcourse-stopped { display: none; }
.mlcourse-explorer.jupyter-widgets-disconnected > .mlcourse-stopped { display: block; }
.mlcourse-explorer.jupyter-widgets-disconnected::before,
.mlcourse-explorer .jupyter-widgets-disconnected::before { display: none; }
</style>
<i>The kernel of this explorer has stopped. To bring it to life, run the cells above and then this one again: select it,
choose Run All Above Selected Cell in the menu Run, and press Shift+Enter.</i>"""


class PictureBox(ipywidgets.Image):
    """An image whose `tooltip` is its accessible name.

    ipywidgets' image has no alt text, and its view fails on a tooltip because it looks for a `description` too.
    """

    description = Unicode("").tag(sync=True)


class Explorer(ipywidgets.VBox):
    """Controls over a picture: settings → compute → record → draw.

    A subclass defines `compute(**settings) -> record`, pure and testable, `headline(record)`, the finding in one line,
    and `describe(record)`, more of it in words; it calls `super().__init__(scene, controls)` with a `Scene` whose
    `show(record)` moves its artists.

    Every change of a control computes and draws at once, in the kernel. Dragging queues nothing: while the kernel is
    busy the browser keeps only the latest value of a slider. What a compute function raises is shown as a sentence
    below the picture and kept in `error`; the last good picture stays.

    Controls and picture together are at most `TALLEST` high, so that a laptop shows both: the picture shrinks for it.

    Where no kernel runs, the notebook shows the PNG of the mime bundle, with those words as its alt text. When the
    kernel stops while the page is open, JupyterLab marks its widgets; a sentence then stands above the controls.

    JupyterLab may hand messages of one widget to several threads of the kernel: `turn` is the lock by which an explorer
    does one thing at a time.

    keeps: whether it computes each setting once and keeps the record.
    """

    keeps = False

    def __init__(self, scene: Scene, controls: dict[str, ipywidgets.Widget], arrangement=None):
        self.scene, self.controls, self.turn = scene, controls, threading.RLock()
        self.record, self.error, self.alt = None, None, ""
        width = round(scene.figure.bbox.width)
        self.picture = PictureBox(format="png", layout={
            "width": f"{width}px", "max_width": "calc(100% - 4px)", "flex": "0 1 auto", "min_height": "200px",
            "object_fit": "contain", "object_position": "left top"})
        self.title, self.caption = ipywidgets.HTML(), ipywidgets.HTML()
        panel = arrangement if arrangement is not None else columns(list(controls.values()))
        panel.layout.flex = self.title.layout.flex = "none"
        screen = ipywidgets.VBox([panel, self.title, self.picture], layout={"max_height": TALLEST})
        stopped = ipywidgets.HTML(STOPPED)
        stopped.add_class("mlcourse-stopped")
        super().__init__([stopped, screen, self.caption], layout={"max_width": "1040px"})
        self.add_class("mlcourse-explorer")
        for control in controls.values():
            control.observe(self._in_turn, "value")
        self._holding = False
        self.refresh()

    def compute(self, **settings):
        """The record that the scene draws, from the values of the controls."""
        raise NotImplementedError

    def headline(self, record) -> str:
        """The finding in one line."""
        raise NotImplementedError

    def describe(self, record) -> str:
        """What else the picture shows, in words. Headline and description together are the alt text."""
        raise NotImplementedError

    @property
    def settings(self) -> dict:
        """The value of every control."""
        return {name: control.value for name, control in self.controls.items()}

    def set(self, **settings) -> None:
        """Move several controls and draw once."""
        unknown = set(settings) - set(self.controls)
        if unknown:
            raise ValueError(f"there is no control {sorted(unknown)[0]!r}; the controls are {', '.join(self.controls)}")
        with self.turn:
            self._holding = True
            try:
                for name, value in settings.items():
                    self.controls[name].value = value
            finally:
                self._holding = False
            self.refresh()

    def refresh(self) -> None:
        """Compute and draw with the controls as they stand."""
        with self.turn:
            try:
                with one_core():
                    self.record = self.compute(**self.settings)
                    self.scene.show(self.record)
                picture, finding, text = self.scene.png(), self.headline(self.record), self.describe(self.record)
            except Exception as error:      # whatever went wrong, the learner must read it, not an empty page
                self.fail(error)
            else:
                self._tell(picture, finding, text)

    def _tell(self, picture: bytes, finding: str, text: str) -> None:
        self.error = None
        self.picture.value = picture
        style = "font-size:16px;font-weight:600;line-height:1.3;margin:0 6px"
        self.title.value = f'<div style="{style}">{html.escape(finding)}</div>'
        self.caption.value = _paragraph("status", html.escape(text))
        self.picture.tooltip = finding
        self.alt = f"{finding}{'' if finding.endswith('?') else '.'} {text}"

    def fail(self, error: Exception) -> None:
        """Show an error as a sentence below the last good picture."""
        self.error = error
        kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
        self.caption.value = _paragraph("alert", f"<b>This cannot be shown.</b> {html.escape(kind + str(error))}")

    def _in_turn(self, change) -> None:
        with self.turn:
            self._changed(change)

    def _changed(self, _change) -> None:
        if not self._holding:
            self.refresh()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self.controls)})"

    def _repr_mimebundle_(self, **kwargs):
        data = super()._repr_mimebundle_(**kwargs) or {}
        data["text/plain"] = repr(self)
        if self.error is None:
            data["image/png"] = base64.b64encode(self.scene.png(self.headline(self.record))).decode()
        return data, {"image/png": {"alt": self.alt or repr(self)}}


def _paragraph(role: str, content: str) -> str:
    """A paragraph that screen readers announce when it changes."""
    return f'<p role="{role}" aria-live="polite" style="line-height:1.4;margin:2px 6px">{content}</p>'


def labelled(text: str, control: ipywidgets.Widget) -> ipywidgets.Widget:
    """A control with its name to the left, for those that would put it above."""
    label = ipywidgets.Label(text, layout={"flex": "none", "width": CONTROL["style"]["description_width"],
                                           "justify_content": "flex-end"})
    return ipywidgets.HBox([label, control], layout={"align_items": "center"})


def columns(controls: list[ipywidgets.Widget], count: int = 3) -> ipywidgets.Widget:
    """Controls in columns of equal width, filled downwards, in the order of the Tab key."""
    rows = -(-len(controls) // count)
    parts = [ipywidgets.VBox(controls[i:i + rows], layout={"flex": "1 1 0", "min_width": "290px"})
             for i in range(0, len(controls), rows)]
    return ipywidgets.HBox(parts, layout={"flex_flow": "row wrap"})


def corners(control: HasTraits) -> list:
    """The values of a control worth trying: every option, or minimum, default and maximum."""
    if hasattr(control, "options"):
        options = control.options
        return [option[1] if isinstance(option, tuple) else option for option in options]
    if hasattr(control, "base"):                          # a logarithmic slider states exponents
        return [control.base ** control.min, control.value, control.base ** control.max]
    if hasattr(control, "min"):
        return [control.min, control.value, control.max]
    return [False, True] if isinstance(control.value, bool) else [control.value]


def sweep(explorer: Explorer) -> Iterator[tuple[str, object, object]]:
    """Move each control over its corners, the others as they stand, and put it back.

    Yields (control, value, record) after each redraw. Raises what the explorer could not show.
    """
    for name, control in explorer.controls.items():
        before = control.value
        for value in corners(control):
            control.value = value
            if explorer.error is not None:
                raise AssertionError(f"{name} = {value} cannot be shown: {explorer.error}") from explorer.error
            yield name, value, explorer.record
        control.value = before
