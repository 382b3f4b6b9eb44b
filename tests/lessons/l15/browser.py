"""The explorer of lesson 15 in JupyterLab: it follows the keyboard and the mouse."""


def test_temperature(widget, tmp_path):
    explorer = widget("TemperatureExplorer")
    assert "τ = 4: soft targets of" in explorer.says() and "with τ²" in explorer.says()
    assert "soft targets" in explorer.picture.get_attribute("title")
    picture, temperature = explorer.pixels(), explorer.readout("temperature")
    explorer.slider("temperature").focus()
    explorer.page.keyboard.press("ArrowRight")
    picture = explorer.changed(picture)
    assert float(explorer.readout("temperature")) > float(temperature)
    explorer.drag("picture", 80)
    picture = explorer.changed(picture)
    picture = explorer.settled()
    assert int(explorer.readout("picture")) > 0
    explorer.press("one")
    picture = explorer.changed(picture)
    assert "the student (one) ≈" in explorer.says()
    explorer.root.locator("input[type=checkbox]").click()
    explorer.changed(picture)
    assert "without τ²" in explorer.says()
    explorer.root.screenshot(path=tmp_path / "temperature.png")
