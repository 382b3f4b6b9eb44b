"""What every explorer does: one redraw per change, errors in words, a picture for pages without a kernel."""

import base64

import ipywidgets
import pytest

from mlcourse.plots.scene import Scene, png_bytes
from mlcourse.widgets import Explorer, sweep


class DotScene(Scene):
    def __init__(self):
        super().__init__(3, 2)

    def build(self):
        axes = self.figure.add_axes((0.2, 0.2, 0.7, 0.6))
        axes.set(xlim=(0, 10), ylim=(0, 10))
        self.dot = self.moving(axes.plot([], [], "o")[0])

    def show(self, record):
        self.dot.set_data([record], [record])


class Dot(Explorer):
    def __init__(self):
        self.computed = []
        super().__init__(DotScene(), {"at": ipywidgets.IntSlider(3, 0, 9), "by": ipywidgets.IntSlider(1, 0, 2)})

    def compute(self, *, at, by):
        self.computed.append((at, by))
        if by == 0:
            raise ValueError("by must not be 0; move the <slider>")
        return at / by

    def headline(self, record):
        return f"The dot is at {record:g}"

    def describe(self, record):
        return "Nothing else is shown"


def test_a_change_redraws_once_and_set_moves_several_controls_in_one_redraw():
    dot = Dot()
    before = dot.picture.value
    dot.controls["at"].value = 6
    assert dot.computed == [(3, 1), (6, 1)] and dot.picture.value != before
    dot.set(at=8, by=2)
    assert dot.computed[2:] == [(8, 2)] and dot.record == 4
    assert "The dot is at 4" in dot.title.value and dot.picture.tooltip == "The dot is at 4"
    assert dot.alt == "The dot is at 4. Nothing else is shown" and "Nothing else" in dot.caption.value


def test_an_error_is_shown_in_words_keeps_the_last_picture_and_goes_away():
    dot = Dot()
    before = dot.picture.value
    dot.set(by=0)
    assert "by must not be 0" in dot.caption.value and 'role="alert"' in dot.caption.value
    assert "&lt;slider&gt;" in dot.caption.value and dot.picture.value == before
    assert isinstance(dot.error, ValueError) and "by = 0" not in repr(dot)
    dot.set(by=1)
    with pytest.raises(AssertionError, match="by = 0 cannot be shown"):
        list(sweep(dot))
    dot.set(by=1)
    assert dot.error is None and "alert" not in dot.caption.value


def test_set_names_an_unknown_control_before_it_changes_anything():
    dot = Dot()
    with pytest.raises(ValueError, match="no control 'speed'; the controls are at, by"):
        dot.set(at=9, speed=1)
    assert dot.settings == {"at": 3, "by": 1} and len(dot.computed) == 1


def test_the_mime_bundle_has_a_picture_with_alt_text_and_a_constant_repr():
    dot = Dot()
    data, metadata = dot._repr_mimebundle_()
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert data["text/plain"] == repr(dot) == "Dot(at, by)"
    assert metadata["image/png"]["alt"] == "The dot is at 3. Nothing else is shown"
    assert "application/vnd.jupyter.widget-view+json" in data
    dot.set(at=5)
    assert repr(dot) == "Dot(at, by)"


def test_a_redraw_shows_only_the_new_state():
    dot = Dot()
    first = dot.picture.value
    dot.set(at=7)
    dot.set(at=3)
    assert dot.picture.value == first


def test_png_bytes_can_be_read_by_others():
    import io

    import numpy as np
    from PIL import Image

    picture = np.random.default_rng(0).integers(0, 256, (5, 7, 4), dtype=np.uint8)
    read = np.asarray(Image.open(io.BytesIO(png_bytes(picture))))
    assert np.array_equal(read, picture[..., :3])
