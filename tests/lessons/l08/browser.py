"""The explorers of lesson 08 in JupyterLab: they follow the keyboard and the mouse."""


def test_drag_prototypes(widget, tmp_path):
    borders = widget("DragPrototypes")
    assert "Squared distances to class means: the query is" in borders.says()
    picture = borders.pixels()
    borders.press("cosine")
    picture = borders.changed(picture)
    assert "Cosines to class means" in borders.says()
    borders.press("each point")
    picture = borders.changed(picture)
    borders.slider("temperature").focus()
    borders.page.keyboard.press("ArrowLeft")
    picture = borders.changed(picture)
    assert "Cosines to each point" in borders.says() and borders.readout("temperature") == "0.79"
    borders.drag("ringed point", 80)
    borders.changed(picture)
    borders.settled()
    assert float(borders.readout("ringed point")) > -1.2
    borders.root.screenshot(path=tmp_path / "drag_prototypes.png")


def test_move_drawing(widget, tmp_path):
    drawing = widget("MoveDrawing")
    assert "4 pixels to the right: the network keeps it (≈" in drawing.says()
    picture = drawing.pixels()
    drawing.slider("turn").focus()
    drawing.page.keyboard.press("ArrowRight")
    picture = drawing.changed(picture)
    assert "turned 5° against the clock" in drawing.says()
    drawing.drag("thicker", 400)
    drawing.changed(picture)
    drawing.settled()
    assert drawing.readout("thicker") == "1.0" and "thicker by 1.0" in drawing.says()
    drawing.root.screenshot(path=tmp_path / "move_drawing.png")
