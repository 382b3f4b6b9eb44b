"""The explorers of lesson 17 in JupyterLab: they follow the keyboard and the mouse."""


def test_prompt_player(widget, tmp_path):
    player = widget("PromptPlayer")
    assert "5 examples: the network is off the line by ≈" in player.says()
    assert "ridge by ≈" in player.picture.get_attribute("title")
    picture = player.pixels()
    player.slider("examples").focus()
    player.page.keyboard.press("ArrowRight")
    picture = player.changed(picture)
    assert "6 examples" in player.says()
    player.press("reversed")
    picture = player.changed(picture)
    player.slider("up by").focus()
    player.page.keyboard.press("ArrowRight")
    picture = player.changed(picture)
    assert player.readout("up by") == "0.5"
    player.drag("all x", 400)
    player.changed(picture)
    player.settled()
    assert player.readout("all x") == "4.0" and "0 examples beyond" not in player.says()
    player.root.screenshot(path=tmp_path / "prompt_player.png")


def test_coin_player(widget, tmp_path):
    coin = widget("CoinPlayer")
    assert "A coin of 0.50, 10 tosses: on average the model says ≈" in coin.says()
    picture = coin.pixels()
    coin.slider("tosses").focus()
    coin.page.keyboard.press("ArrowRight")
    picture = coin.changed(picture)
    assert coin.readout("tosses") == "15" and "15 tosses" in coin.says()
    coin.drag("the coin", 400)
    coin.changed(picture)
    coin.settled()
    assert "A coin of 0.90" in coin.says()
    coin.root.screenshot(path=tmp_path / "coin_player.png")
