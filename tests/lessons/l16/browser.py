"""The explorer of lesson 16 in JupyterLab: it follows the keyboard and the mouse."""


def test_contrast(widget, tmp_path):
    explorer = widget("ContrastExplorer")
    assert "1: the right stroke is nearest" in explorer.says()
    assert "nearest" in explorer.picture.get_attribute("title")
    picture, tau = explorer.pixels(), explorer.readout("temperature")
    explorer.slider("temperature").focus()
    explorer.page.keyboard.press("ArrowRight")
    picture = explorer.changed(picture)
    assert explorer.readout("temperature") != tau
    pairs = int(explorer.readout("batch"))
    explorer.drag("batch", 60)
    picture = explorer.changed(picture)
    picture = explorer.settled()
    assert int(explorer.readout("batch")) > pairs
    assert f"of {explorer.readout('batch')} pictures" in explorer.says()
    explorer.slider("pair that asks").focus()
    explorer.page.keyboard.press("ArrowRight")
    picture = explorer.changed(picture)
    assert "Pair 1 has a cosine of" in explorer.says()
    explorer.press("0")
    explorer.changed(picture)
    assert "0: the right stroke is nearest" in explorer.says()
    explorer.root.screenshot(path=tmp_path / "contrast.png")
