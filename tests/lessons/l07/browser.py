"""The explorers of lesson 07 in JupyterLab: they follow the keyboard and the mouse."""


def test_rate_and_momentum(widget, tmp_path):
    descent = widget("RateAndMomentum")
    assert "In the long run a step leaves ≈" in descent.says()
    assert "In the long run a step leaves ≈" in descent.picture.get_attribute("title")
    picture = descent.pixels()
    descent.slider("momentum").focus()
    descent.page.keyboard.press("ArrowRight")
    picture = descent.changed(picture)
    assert descent.readout("momentum") == "0.01"
    descent.drag("rate", 400)
    descent.changed(picture)
    picture = descent.settled()
    assert "The slowest direction does not shrink" in descent.says()
    descent.slider("steepest").focus()
    descent.page.keyboard.press("ArrowLeft")
    descent.changed(picture)
    assert descent.readout("steepest") == "20"
    descent.root.screenshot(path=tmp_path / "rate_and_momentum.png")


def test_optimiser_race(widget, tmp_path):
    race = widget("OptimiserRace")
    assert "Left after 100 steps: learned ≈" in race.says()
    assert "Left after 100 steps: learned ≈" in race.picture.get_attribute("title")
    picture = race.pixels()
    race.slider("condition number").focus()
    race.page.keyboard.press("ArrowRight")
    picture = race.changed(picture)
    assert race.readout("condition number") == "1"
    race.drag("horizon", 400)
    race.changed(picture)
    picture = race.settled()
    assert "Left after 100 steps" not in race.says()
    race.slider("start").focus()
    race.page.keyboard.press("ArrowRight")
    race.changed(picture)
    race.settled()
    assert race.readout("start") == "3 ×"
    race.root.screenshot(path=tmp_path / "optimiser_race.png")
