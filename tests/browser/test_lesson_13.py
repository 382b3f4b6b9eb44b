"""Lesson 13 in JupyterLab: the adversarial weight follows the keyboard and the mouse, trains, and plays."""


def test_the_widget_follows_keyboard_and_mouse(lab, tmp_path):
    page = lab("notebooks/13_domain_adaptation.ipynb")
    assert page.errors() == []

    widget = page.widget("AdversarialWeight")
    assert "DANN, λ = 0.3, step 160" in widget.says()
    assert "PAD" in widget.picture.get_attribute("title")
    picture = widget.pixels()
    widget.slider("snapshot").focus()
    widget.page.keyboard.press("ArrowLeft")
    picture = widget.changed(picture)
    assert widget.readout("snapshot") == "7" and "step 140" in widget.says()
    widget.slider("weight").focus()
    widget.page.keyboard.press("ArrowLeft")
    picture = widget.changed(picture)                       # trained there and then
    assert widget.readout("weight") == "0.1" and "λ = 0.1" in widget.says()
    widget.root.locator("input[type=checkbox]").check()
    picture = widget.changed(picture)
    assert "under label shift" in widget.says() and "total variation" in widget.says()
    widget.press("CORAL")
    widget.changed(picture)
    assert "CORAL, λ = 0.1" in widget.says()
    widget.settled()
    widget.root.screenshot(path=tmp_path / "adversarial_weight.png")
    assert page.errors() == []
