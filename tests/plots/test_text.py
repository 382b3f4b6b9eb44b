"""Text that a user brought is drawn as text."""

import numpy as np
import pytest
from matplotlib.text import Text

from mlcourse.plots import text as texts
from mlcourse.plots.scene import Scene
from mlcourse.plots.static import blank, picture
from mlcourse.plots.text import as_written


def drawn(words):
    """The pixels of a text as a picture's title, after all that a picture does to it."""
    figure = blank(4, 1)
    figure.text(0.1, 0.5, words)
    made = picture(figure, "alt")
    assert made.png
    return next(text for text in figure.findobj(Text) if text.get_text())


@pytest.mark.parametrize("words", ["$HOME", "a$b$c", "$\\frac{", "price_$5$ {x}", "100 % $"])
def test_a_dollar_sign_starts_no_formula(words):
    assert drawn(words).get_text() == words


def test_a_logarithmic_axis_keeps_its_numbers():
    figure = blank(3, 2)
    axes = figure.subplots()
    axes.set(xscale="log", xlim=(1, 1000), title="$a$")
    picture(figure, "alt")
    ticks = [label for label in axes.get_xticklabels() if "mathdefault" in label.get_text()]
    assert ticks and all(label.get_parse_math() for label in ticks)
    assert not axes.title.get_parse_math() or axes.get_title() == ""


def test_a_character_that_no_font_has_stands_as_its_code(monkeypatch):
    monkeypatch.setattr(texts, "_font_with", lambda character: None)
    assert drawn("猫 → cat, café").get_text() == "U+732B → cat, café"


@pytest.mark.filterwarnings("ignore:Glyph")
def test_a_character_of_another_font_is_drawn_with_it(monkeypatch):
    monkeypatch.setattr(texts, "_font_with", lambda character: "STIXGeneral")
    text = drawn("猫")
    assert text.get_text() == "猫" and text.get_fontfamily() == ["DejaVu Sans", "STIXGeneral"]


def test_what_moves_in_a_scene_is_drawn_as_written_too():
    class Named(Scene):
        def build(self):
            self.name = self.moving(self.figure.text(0.1, 0.3, ""))

        def show(self, record):
            self.name.set_text(record)

    scene = Named(3, 2)
    empty = scene.pixels().copy()
    scene.show("$\\frac{")
    assert not np.array_equal(scene.pixels(), empty) and scene.png("$x$ and $y")


def test_the_courses_own_signs_are_in_the_usual_font():
    figure = blank(3, 1)
    signs = figure.text(0, 0, "≈ ± × → θ α β φ λ Σ ² ⁻ … ·")
    as_written([signs])
    assert "U+" not in signs.get_text() and signs.get_fontfamily() == blank(1, 1).text(0, 0, "").get_fontfamily()
