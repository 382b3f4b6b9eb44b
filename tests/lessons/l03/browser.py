"""The explorers of lesson 03 in JupyterLab, the inner loop's inside its lesson: they follow keyboard and mouse."""


def test_inner_loop(lab, tmp_path):
    page = lab("notebooks/03_maml.ipynb")
    assert page.errors() == []

    explorer = page.widget("InnerLoopExplorer")
    assert "query loss" in explorer.says()
    assert "query loss" in explorer.picture.get_attribute("title")
    picture, rate = explorer.pixels(), explorer.readout("rate")
    explorer.slider("rate").focus()
    explorer.page.keyboard.press("ArrowRight")
    picture = explorer.changed(picture)
    assert explorer.readout("rate") != rate
    steps = int(explorer.readout("steps"))
    explorer.slider("steps").focus()
    explorer.page.keyboard.press("ArrowRight")
    picture = explorer.changed(picture)
    assert int(explorer.readout("steps")) == steps + 1
    phase = float(explorer.readout("phase"))
    explorer.drag("phase", 60)
    picture = explorer.changed(picture)
    assert float(explorer.readout("phase")) > phase + 0.1
    explorer.settled()
    assert explorer.faults() == page.errors() == []
    explorer.root.screenshot(path=tmp_path / "inner_loop.png")


def test_outer_loop(widget, tmp_path):
    player = widget("OuterLoopPlayer")
    picture, ahead = player.pixels(), int(player.readout("outer step")) + 10
    player.press("+10 steps")
    picture = player.changed(picture)
    assert f"After {ahead} outer steps" in player.says() and player.readout("outer step") == str(ahead)
    player.press("play")
    player.changed(picture)
    player.press("pause")
    picture = player.settled()
    last = int(player.readout("outer step"))
    assert last > ahead
    player.slider("outer step").focus()
    player.page.keyboard.press("ArrowLeft")
    player.changed(picture)
    assert "Rewound to outer step" in player.says()
    assert player.faults() == []
    player.root.screenshot(path=tmp_path / "outer_loop.png")
