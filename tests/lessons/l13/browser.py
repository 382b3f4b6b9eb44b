"""The explorers of lesson 13 in JupyterLab: they follow the keyboard and the mouse."""


def test_alignment_weight(widget, tmp_path):
    weight = widget("AlignmentWeight")
    assert "λ = 1, step 40" in weight.says() and "PAD" in weight.picture.get_attribute("title")
    weight.slider("weight").focus()
    weight.page.keyboard.press("ArrowRight")                # trained there and then, and given up for the next
    weight.page.keyboard.press("ArrowRight")
    weight.root.get_by_text("λ = 100, step 40").wait_for()
    assert weight.readout("weight") == "100"
    picture = weight.settled()
    weight.root.locator("input[type=checkbox]").check()
    weight.root.get_by_text("Label shift, λ = 100, step 40").wait_for()
    weight.changed(picture)
    weight.settled()
    assert "labels 0.6" in weight.says()
    weight.root.screenshot(path=tmp_path / "alignment_weight.png")


def test_label_shift_dial(widget, tmp_path):
    dial = widget("LabelShiftDial")
    assert "faint print → faint print, label distance 0.6: BBSE takes" in dial.says()
    picture = dial.pixels()
    dial.slider("label distance").focus()
    dial.page.keyboard.press("ArrowLeft")
    picture = dial.changed(picture)
    assert dial.readout("label distance") == "0.5" and "label distance 0.5" in dial.says()
    dial.press("typeset → handwritten")
    dial.changed(picture)
    assert "typeset → handwritten, label distance 0.5" in dial.says()
    dial.settled()
    dial.root.screenshot(path=tmp_path / "label_shift_dial.png")
