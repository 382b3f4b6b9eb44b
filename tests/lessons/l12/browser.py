"""The explorer of lesson 12 in JupyterLab: it follows the keyboard and the mouse."""


def test_stream_order(widget, tmp_path):
    order = widget("StreamOrder")
    assert "After 3 tasks, right over all of them: as it is ≈" in order.says() and "with FTML ≈" in order.says()
    picture = order.pixels()
    order.slider("% right to pass").focus()
    order.page.keyboard.press("ArrowRight")
    picture = order.changed(picture)
    assert order.readout("% right to pass") == "80"
    order.press("FTML")
    picture = order.changed(picture)
    order.root.locator("select").nth(3).select_option("on purple")
    order.changed(picture)
    order.root.get_by_text("After 4 tasks, right over all of them").wait_for()
    order.settled()
    assert "labels moved, digits, on purple" in order.says()
    order.root.screenshot(path=tmp_path / "stream_order.png")
