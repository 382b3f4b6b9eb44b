"""The explorer of lesson 05 in JupyterLab: it follows the keyboard and the mouse."""


def test_learned_rates(widget, tmp_path):
    rates = widget("LearnedRates")
    assert "with a gradient are negative" in rates.says() and "After 200 outer steps" in rates.says()
    assert "with a gradient are negative" in rates.picture.get_attribute("title")
    picture = rates.pixels()
    rates.slider("outer step").focus()
    rates.page.keyboard.press("ArrowLeft")
    picture = rates.changed(picture)
    assert "After 180 outer steps" in rates.says()
    rates.drag("by its step", 40)
    rates.changed(picture)
    picture = rates.settled()
    rates.root.locator("select").select_option("head.weight")
    rates.changed(picture)
    picture = rates.settled()
    rates.press("+20 steps")
    rates.changed(picture)
    rates.root.get_by_text("After 220 outer steps").wait_for()
    rates.settled()
    rates.root.screenshot(path=tmp_path / "rates.png")
