"""The explorers of lesson 10 in JupyterLab: they follow the keyboard and the mouse."""


def test_latent_walk(widget, tmp_path):
    walk = widget("LatentWalk")
    assert "Recognised at ≈" in walk.says() and "differs from what was shown in ≈" in walk.says()
    picture = walk.pixels()
    walk.slider("number a").focus()
    walk.page.keyboard.press("ArrowRight")
    picture = walk.changed(picture)
    assert walk.readout("number a") == "0.25"
    walk.drag("drawings shown", -400)
    walk.changed(picture)
    picture = walk.settled()
    assert walk.readout("drawings shown") == "1" and ", 1 drawing shown." in walk.says()
    walk.slider("character").focus()
    walk.page.keyboard.press("ArrowRight")
    walk.changed(picture)
    assert "Character 1, 1 drawing" in walk.says()
    walk.settled()
    walk.root.screenshot(path=tmp_path / "latent_walk.png")


def test_mix_layer(widget, tmp_path):
    mix = widget("MixLayer")
    assert "λ = 0.50: the first is believed at ≈" in mix.says() and "Mixed before layer 0." in mix.says()
    picture = mix.pixels()
    mix.slider("share").focus()
    mix.page.keyboard.press("ArrowRight")
    picture = mix.changed(picture)
    assert "λ = 0.55" in mix.says()
    mix.slider("mixed before").focus()
    mix.page.keyboard.press("ArrowRight")
    picture = mix.changed(picture)
    assert "Mixed before layer 1." in mix.says()
    mix.drag("pair", 400)
    mix.changed(picture)
    mix.settled()
    assert mix.readout("pair") == "9"
    mix.root.screenshot(path=tmp_path / "mix_layer.png")
