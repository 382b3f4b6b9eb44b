"""The explorers of lesson 04 in JupyterLab: they follow the keyboard and the mouse."""


def test_which_arrow(widget, tmp_path):
    arrows = widget("WhichArrow")
    assert "α = 0.01, 1 inner step: the missing term is ≈" in arrows.says()
    assert "the missing term" in arrows.picture.get_attribute("title")
    picture = arrows.pixels()
    arrows.slider("inner rate").focus()
    arrows.page.keyboard.press("ArrowRight")
    picture = arrows.changed(picture)
    assert "α = 0.0126" in arrows.says()
    arrows.drag("inner steps", 60)
    picture = arrows.changed(picture)
    picture = arrows.settled()
    assert int(arrows.readout("inner steps")) > 1 and "inner steps: the missing term" in arrows.says()
    arrows.press("another")
    arrows.changed(picture)
    arrows.settled()
    arrows.root.screenshot(path=tmp_path / "which_arrow.png")


def test_two_valleys(widget, tmp_path):
    valleys = widget("TwoValleys")
    assert "α = 0.2: joint training rests at" in valleys.says()
    picture = valleys.pixels()
    valleys.slider("inner rate").focus()
    valleys.page.keyboard.press("ArrowRight")
    picture = valleys.changed(picture)
    assert "α = 0.21" in valleys.says()
    valleys.drag("curvature", -400)
    valleys.changed(picture)
    valleys.settled()
    assert "rest at one point" in valleys.says()
    valleys.root.screenshot(path=tmp_path / "two_valleys.png")
