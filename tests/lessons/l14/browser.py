"""The explorers of lesson 14 in JupyterLab: they follow the keyboard and the mouse."""


def test_real_generated(widget, tmp_path):
    made = widget("RealGeneratedExplorer")
    assert "Step 20: PAD to the target" in made.says()
    picture = made.pixels()
    made.slider("training step").focus()
    made.page.keyboard.press("ArrowLeft")
    picture = made.changed(picture)
    assert "Step 10: PAD to the target" in made.says()
    made.drag("size of the noise", -400)
    picture = made.changed(picture)
    picture = made.settled()
    assert "0.000 per pixel" in made.says()
    made.slider("class").focus()
    made.page.keyboard.press("ArrowRight")
    made.changed(picture)
    assert "Class 1:" in made.says()
    made.root.screenshot(path=tmp_path / "generated.png")


def test_paired_gain(widget, tmp_path):
    gains = widget("PairedGainExplorer")
    picture = gains.pixels()
    assert "k = 0: source + generated less source + hand-made" in gains.says()
    gains.slider("labels per class").focus()
    gains.page.keyboard.press("ArrowRight")
    picture = gains.changed(picture)
    assert "k = 1: source + generated less source + hand-made" in gains.says()
    gains.slider("labels per class").focus()
    gains.page.keyboard.press("ArrowRight")
    gains.changed(picture)
    assert "k = 5:" in gains.says()
    gains.root.screenshot(path=tmp_path / "gains.png")
