"""The explorers of lesson 02 in JupyterLab: they follow the keyboard and the mouse."""


def test_freeze_ladder(widget, tmp_path):
    ladder = widget("FreezeLadder")
    assert "Typeset, 2 blocks kept, 5 labels of a class: right on ≈" in ladder.says()
    assert "right on ≈" in ladder.picture.get_attribute("title")
    picture = ladder.pixels()
    ladder.slider("blocks kept").focus()
    ladder.page.keyboard.press("ArrowRight")
    picture = ladder.changed(picture)
    assert "Typeset, 3 blocks kept" in ladder.says()
    ladder.drag("labels of a class", 400)
    ladder.changed(picture)
    picture = ladder.settled()
    assert ladder.readout("labels of a class") == "50" and "50 labels of a class" in ladder.says()
    ladder.press("inverted")
    ladder.changed(picture)
    assert "Inverted, 3 blocks kept" in ladder.says()
    ladder.settled()
    ladder.root.screenshot(path=tmp_path / "freeze_ladder.png")


def test_head_start(widget, tmp_path):
    start = widget("HeadStart")
    assert "From a random head: right on ≈" in start.says()
    assert "From a random head" in start.picture.get_attribute("title")
    picture = start.pixels()
    start.press("ridge")
    picture = start.changed(picture)
    assert "From a ridge head: right on ≈" in start.says() and "Seen before: random ≈" in start.says()
    start.slider("rate").focus()
    start.page.keyboard.press("ArrowLeft")
    picture = start.changed(picture)
    assert start.readout("rate") == "0.03" and "Seen before" not in start.says()
    start.drag("labels of a class", -400)
    start.changed(picture)
    start.settled()
    assert start.readout("labels of a class") == "1"
    start.root.screenshot(path=tmp_path / "head_start.png")
