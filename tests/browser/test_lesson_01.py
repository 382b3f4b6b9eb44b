"""Lesson 01 in JupyterLab: both dials follow the keyboard and the mouse."""


def test_the_dials_follow_keyboard_and_mouse(lab, tmp_path):
    page = lab("notebooks/01_domains.ipynb")
    assert page.errors() == []

    dial = page.widget("ShiftDial")
    assert "Rotation 0.3" in dial.says() and "squared MMD" in dial.says()
    assert "PAD" in dial.picture.get_attribute("title")
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

    factor = page.widget("FactorDial")
    picture = factor.pixels()
    factor.root.locator("select").select_option("concept shift")
    picture = factor.changed(picture)
    assert "P(x) stays" in factor.says()
    factor.slider("severity").focus()
    factor.page.keyboard.press("ArrowLeft")
    factor.changed(picture)
    assert "Concept shift, severity 0.9" in factor.says()
    factor.root.screenshot(path=tmp_path / "factor_dial.png")
    assert page.errors() == []
