"""Lesson 16 in JupyterLab: the contrast explorer follows the keyboard and the mouse."""


def test_the_contrast_explorer_follows_keyboard_and_mouse(lab, tmp_path):
    page = lab("notebooks/16_contrast.ipynb")
    assert page.errors() == []
    explorer = page.widget("ContrastExplorer")
    assert "300 steps: the right stroke is nearest" in explorer.says()
    assert "nearest" in explorer.picture.get_attribute("title")

    picture, tau = explorer.pixels(), explorer.readout("temperature")
    explorer.slider("temperature").focus()
    explorer.page.keyboard.press("ArrowRight")
    picture = explorer.changed(picture)
    assert explorer.readout("temperature") != tau
    explorer.root.screenshot(path=tmp_path / "contrast.png")

    pairs = int(explorer.readout("batch"))
    explorer.drag("batch", 60)
    picture = explorer.changed(picture)
    explorer.settled()
    assert int(explorer.readout("batch")) > pairs
    assert f"of {explorer.readout('batch')} pictures" in explorer.says()
    explorer.root.screenshot(path=tmp_path / "more_pairs.png")

    picture = explorer.settled()
    explorer.slider("pair that asks").focus()
    explorer.page.keyboard.press("ArrowRight")
    picture = explorer.changed(picture)
    assert "Pair 1 finds its partner" in explorer.says()
    explorer.press("untrained")
    explorer.changed(picture)
    assert "untrained: the right stroke is nearest" in explorer.says()
    explorer.root.screenshot(path=tmp_path / "untrained.png")
    assert page.errors() == []
