"""Lesson 05 in JupyterLab: its widget follows the keyboard and the mouse, and trains on."""


def test_the_rates_follow_keyboard_and_mouse(lab, tmp_path):
    page = lab("notebooks/05_meta_sgd.ipynb")
    assert page.errors() == []

    rates = page.widget("LearnedRates")
    assert "of the rates are negative" in rates.says() and "After 3000 outer steps" in rates.says()
    assert "of the rates are negative" in rates.picture.get_attribute("title")
    rates.root.screenshot(path=tmp_path / "rates.png")
    picture = rates.pixels()
    rates.slider("outer step").focus()
    rates.page.keyboard.press("ArrowLeft")
    picture = rates.changed(picture)
    assert "After 2900 outer steps" in rates.says()
    rates.drag("by its step", 120)
    rates.changed(picture)
    picture = rates.settled()
    rates.root.locator("select").select_option("head.weight")
    rates.changed(picture)
    rates.root.get_by_text("The weight head.weight[0, ").wait_for()
    picture = rates.settled()
    rates.press("+20 steps")
    rates.changed(picture)
    rates.root.get_by_text("After 3020 outer steps").wait_for()
    rates.settled()
    rates.root.screenshot(path=tmp_path / "rates_after.png")
    assert page.errors() == []
