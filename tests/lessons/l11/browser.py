"""The explorers of lesson 11 in JupyterLab: they follow the keyboard and the mouse."""


def test_pool_dials(widget, tmp_path):
    dials = widget("PoolDials")
    assert "none of other classes" in dials.says()
    assert "Soft k-means: the pool changes accuracy by ≈" in dials.picture.get_attribute("title")
    picture = dials.pixels()
    dials.press("balanced")
    picture = dials.changed(picture)
    assert "Balanced: the pool changes accuracy by ≈" in dials.says()
    dials.slider("one class").focus()
    dials.page.keyboard.press("ArrowRight")
    picture = dials.changed(picture)
    assert "6 of 25 of one class; none of other classes" in dials.says()
    dials.drag("other classes", 60)
    picture = dials.changed(picture)
    picture = dials.settled()
    assert "none of other classes" not in dials.says() and int(dials.readout("other classes")) > 0
    dials.slider("way").focus()
    dials.page.keyboard.press("ArrowLeft")
    dials.changed(picture)
    assert "Balanced: the pool, 0.9 of the way," in dials.says()
    dials.root.screenshot(path=tmp_path / "pool_dials.png")


def test_mask_dial(widget, tmp_path):
    dial = widget("MaskDial")
    assert "This mask changes accuracy by ≈" in dial.says()
    assert "others removed" in dial.picture.get_attribute("title")
    picture = dial.pixels()
    dial.slider("threshold").focus()
    dial.page.keyboard.press("ArrowLeft")
    picture = dial.changed(picture)
    assert dial.readout("threshold") == "1.45"
    dial.drag("steepness", 60)
    picture = dial.changed(picture)
    picture = dial.settled()
    assert float(dial.readout("steepness")) > 10
    dial.slider("other classes").focus()
    dial.page.keyboard.press("Home")
    dial.changed(picture)
    dial.settled()
    assert dial.readout("other classes") == "0" and "of other classes" not in dial.says()
    dial.root.screenshot(path=tmp_path / "mask_dial.png")
