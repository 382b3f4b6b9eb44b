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
    rates.drag("weight, by its step", 120)
    picture = rates.changed(picture)
    rates.root.locator("select").select_option("head.weight")
    picture = rates.changed(picture)
    assert "head.weight[0, " in rates.says()
    rates.press("+20 steps")
    rates.changed(picture)
    assert "After 3020 outer steps" in rates.says()
    rates.settled()
    rates.root.screenshot(path=tmp_path / "rates_after.png")
    assert page.errors() == []
