"""Lesson 15 in JupyterLab: the temperature explorer follows the keyboard and the mouse."""


def test_the_temperature_explorer_follows_keyboard_and_mouse(lab, tmp_path):
    page = lab("notebooks/15_distillation.ipynb")
    assert page.errors() == []
    explorer = page.widget("TemperatureExplorer")
    assert "T = 4: soft targets of" in explorer.says() and "with T²" in explorer.says()
    assert "soft targets" in explorer.picture.get_attribute("title")

    picture, temperature = explorer.pixels(), explorer.readout("temperature")
    explorer.slider("temperature").focus()
    explorer.page.keyboard.press("ArrowRight")
    picture = explorer.changed(picture)
    assert float(explorer.readout("temperature")) > float(temperature)
    explorer.root.screenshot(path=tmp_path / "temperature.png")

    explorer.drag("picture", 80)
    picture = explorer.changed(picture)
    picture = explorer.settled()
    assert int(explorer.readout("picture")) > 0
    explorer.root.screenshot(path=tmp_path / "picture.png")

    explorer.press("untrained")
    picture = explorer.changed(picture)
    assert "the student (untrained) says" in explorer.says()
    explorer.root.locator("input[type=checkbox]").click()
    explorer.changed(picture)
    assert "without T²" in explorer.says()
    explorer.root.screenshot(path=tmp_path / "untrained.png")
    assert page.errors() == []
