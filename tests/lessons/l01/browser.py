"""The explorers of lesson 01 in JupyterLab: they follow the keyboard and the mouse."""

from mlcourse.bench import widgets


def test_shift_dial(widget, tmp_path):
    dial = widget("ShiftDial")
    assert all(words in dial.says() for words in ("Rotation 0.3", "Distance of pixels", "of features"))
    assert "distance of pixels ≈" in dial.picture.get_attribute("title")
    picture = dial.pixels()
    dial.slider("severity").focus()
    dial.page.keyboard.press("ArrowRight")
    picture = dial.changed(picture)
    assert dial.readout("severity") == "0.4" and "Rotation 0.4" in dial.says()
    dial.root.locator("select").select_option("texture")
    picture = dial.changed(picture)
    dial.drag("severity", -60)
    dial.changed(picture)
    dial.settled()
    assert "Texture" in dial.says() and float(dial.readout("severity")) < 0.4
    dial.root.screenshot(path=tmp_path / "shift_dial.png")


def test_factor_dial(widget, tmp_path, monkeypatch):
    factor = widget("FactorDial")
    picture = factor.pixels()
    factor.root.locator("select").select_option("concept shift")
    picture = factor.changed(picture)
    assert "P(x) stays" in factor.says()
    factor.slider("severity").focus()
    factor.page.keyboard.press("ArrowLeft")
    factor.changed(picture)
    assert "Concept shift, severity 0.4" in factor.says()
    monkeypatch.setattr(widgets, "PRESSES", 2)
    times = widgets.presses(factor, "FactorDial")           # what the benchmark does to the first slider of a page
    assert len(times) == 2 and all(0 < milliseconds < widgets.WAIT for milliseconds in times)
    factor.root.screenshot(path=tmp_path / "factor_dial.png")
