"""The explorers of lesson 06 in JupyterLab: they follow the keyboard and the mouse."""


def test_episode_inspector(widget, tmp_path):
    inspector = widget("EpisodeInspector")
    assert "Episode 1, new scripts: of 15 queries a network gets ≈" in inspector.says()
    assert "bare pixels" in inspector.picture.get_attribute("title")
    picture = inspector.pixels()
    inspector.slider("episode").focus()
    inspector.page.keyboard.press("ArrowRight")
    picture = inspector.changed(picture)
    assert "Episode 2, new scripts" in inspector.says()
    inspector.slider("deal labels").focus()
    inspector.page.keyboard.press("ArrowRight")
    picture = inspector.changed(picture)
    inspector.drag("shot", 60)
    picture = inspector.changed(picture)
    picture = inspector.settled()
    assert int(inspector.readout("shot")) > 1
    inspector.press("training scripts")
    inspector.changed(picture)
    assert "Episode 2, training scripts" in inspector.says()
    inspector.settled()
    inspector.root.screenshot(path=tmp_path / "inspector.png")


def test_companions(widget, tmp_path):
    company = widget("Companions")
    assert "Query 4: its own class has probability ≈" in company.says()
    assert "with 24 companions (five classes)" in company.picture.get_attribute("title")
    picture = company.pixels()
    company.press("noise")
    picture = company.changed(picture)
    assert "with 24 companions (noise)" in company.says()
    company.slider("query").focus()
    company.page.keyboard.press("ArrowLeft")
    picture = company.changed(picture)
    assert "Query 3: its own class" in company.says()
    company.drag("companions", -60)
    company.changed(picture)
    company.settled()
    assert int(company.readout("companions")) < 24 and "(noise)" in company.says()
    company.root.screenshot(path=tmp_path / "companions.png")
