"""Lesson 14 in JupyterLab: both explorers follow the keyboard and the mouse."""


def test_the_explorers_follow_keyboard_and_mouse(lab, tmp_path):
    page = lab("notebooks/14_daml.ipynb")
    assert page.errors() == []
    made = page.widget("RealGeneratedExplorer")
    assert "Step 400: PAD to the target" in made.says()
    picture = made.pixels()
    made.slider("training step").focus()
    made.page.keyboard.press("ArrowLeft")
    picture = made.changed(picture)
    assert "Step 350: PAD to the target" in made.says()
    made.drag("size of the noise", -400)
    picture = made.changed(picture)
    made.settled()
    assert "differ by 0.000 per pixel" in made.says()
    picture = made.settled()
    made.slider("class").focus()
    made.page.keyboard.press("ArrowRight")
    made.changed(picture)
    assert "Class 1:" in made.says()
    made.root.screenshot(path=tmp_path / "generated.png")

    gains = page.widget("PairedGainExplorer")
    picture = gains.pixels()
    assert "k = 0: DAML, tuned less source + hand-made" in gains.says()
    gains.slider("labels per class").focus()
    gains.page.keyboard.press("ArrowRight")
    picture = gains.changed(picture)
    assert "k = 1:" in gains.says()
    gains.press("typeset → thicker strokes")
    gains.changed(picture)
    assert "typeset → thicker strokes: DAML, tuned" in gains.says()
    gains.root.screenshot(path=tmp_path / "gains.png")
    assert page.errors() == []
