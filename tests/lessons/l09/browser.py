"""The explorers of lesson 09 in JupyterLab: they follow the keyboard and the mouse."""


def test_memory_tape(widget, tmp_path):
    tape = widget("MemoryTape")
    assert "10 items: the copy" in tape.says() and "Step 14 of" in tape.says()
    assert "10 items: the copy" in tape.picture.get_attribute("title")
    picture = tape.pixels()
    tape.slider("step").focus()
    tape.page.keyboard.press("ArrowRight")
    picture = tape.changed(picture)
    assert "Step 15 of" in tape.says()
    tape.root.locator("input[type=checkbox]").first.uncheck()
    picture = tape.changed(picture)
    assert "10 items, no search by content: the copy" in tape.says()
    tape.drag("damage item", 60)
    tape.changed(picture)
    tape.settled()
    assert int(tape.readout("damage item")) > 0 and f"item {tape.readout('damage item')} damaged" in tape.says()
    tape.root.screenshot(path=tmp_path / "memory_tape.png")


def test_episode_stream(widget, tmp_path):
    stream = widget("EpisodeStream")
    assert "Right at the first presentation ≈" in stream.says() and "of the first 12 answers" in stream.says()
    assert "Right at the first presentation ≈" in stream.picture.get_attribute("title")
    picture = stream.pixels()
    stream.slider("step").focus()
    stream.page.keyboard.press("ArrowRight")
    picture = stream.changed(picture)
    assert "of the first 13 answers" in stream.says()
    stream.slider("a label comes").focus()
    stream.page.keyboard.press("ArrowLeft")
    picture = stream.changed(picture)
    assert stream.readout("a label comes") == "with its picture"
    stream.root.locator("input[type=checkbox]").last.uncheck()
    picture = stream.changed(picture)
    stream.drag("step", 400)
    stream.changed(picture)
    stream.settled()
    assert int(stream.readout("step")) > 13
    stream.root.screenshot(path=tmp_path / "episode_stream.png")
