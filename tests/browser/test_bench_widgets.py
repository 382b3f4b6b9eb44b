"""The widgets' benchmark presses keys in a real browser and waits for the picture."""

import pytest

from mlcourse.bench import widgets


@pytest.mark.parametrize("name", ["InnerLoopExplorer", "YouAgainstMachine"])     # a slider, a number field
def test_every_press_brings_a_new_picture(chromium, server, monkeypatch, name):
    monkeypatch.setattr(widgets, "PRESSES", 2)
    times = widgets.key_to_pixel(chromium, server, name)
    assert len(times) == 2 and all(0 < milliseconds < widgets.WAIT for milliseconds in times)
